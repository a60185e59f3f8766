import { formatBytes } from "../envelope/size-words.ts";
import { announce, fill, setTitle } from "./dom.ts";

/** Percent between two announcements: a screen reader that said every one would say nothing else. */
const STEP = 10;

/** Milliseconds between two drawings: bytes come in by far more often than anybody can look. */
const INTERVAL = 100;

function timeLeft(seconds: number): string {
  if (seconds < 10) return "a few seconds left";
  if (seconds < 90) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} minutes left`;
  return `about ${Math.round(seconds / 3600)} hours left`;
}

/** How something that takes its time tells how far it is. */
export interface Progress {
  readonly set: (done: number, size: number) => void;
  /** The connection is gone, and is being tried again. */
  readonly lost: () => void;
}

/**
 * Fills the progress bar of `screen`, which is the one that is shown. `words` is what goes on, such as "Uploading";
 * `first` stands there until anything is known of it.
 */
export function createProgress(screen: HTMLElement, words: string, first = `${words}…`): Progress {
  const bar = screen.querySelector("progress");
  let began: { readonly at: number; readonly done: number } | undefined;
  let said = 0;

  function say(heading: string, detail: string): void {
    fill(screen, { progress: heading, detail });
    setTitle(heading);
  }
  bar?.removeAttribute("value");
  say(first, "");

  function draw(done: number, size: number): void {
    // By the time that the last one comes, another screen may be there.
    if (screen.hidden) return;
    began ??= { at: performance.now(), done };
    const percent = Math.floor((done / size) * 100);
    const heading = `${words} ${percent}%`;
    const seconds = (performance.now() - began.at) / 1_000;
    const rate = (done - began.done) / seconds;
    // The first second tells nothing.
    const left = seconds > 1 && rate > 0 && done < size ? `, ${timeLeft((size - done) / rate)}` : "";
    if (bar) bar.value = done / size;
    say(heading, `${formatBytes(done)} of ${formatBytes(size)}${left}`);
    if (percent < said + STEP) return;
    said = percent - (percent % STEP);
    announce(`${heading}${left}`);
  }

  let timer = 0;
  let latest: readonly [done: number, size: number];
  return {
    set(done: number, size: number): void {
      latest = [done, size];
      timer ||= window.setTimeout(() => {
        timer = 0;
        draw(...latest);
      }, INTERVAL);
    },
    lost(): void {
      if (timer) draw(...latest);
      clearTimeout(timer);
      timer = 0;
      const detail = "The connection was lost. Trying again…";
      fill(screen, { detail });
      announce(detail);
    },
  };
}
