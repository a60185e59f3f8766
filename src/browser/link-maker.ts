import type { ApiProblem } from "./api.ts";
import type { Attempt, SentSecret } from "./attempt.ts";
import type { Progress } from "./progress.ts";

/** Handed over for the same reason as in upload.ts. */
export interface LinkMakerTools {
  /** A secret of its own for the person at `index`. */
  readonly begin: (index: number) => Promise<Attempt>;
  readonly mayPass: (error: unknown) => boolean;
  readonly deleteSecret: (bearer: string) => Promise<void>;
}

export interface Watcher {
  /** It is the turn of the person at `index`. */
  readonly turn: (index: number) => void;
  readonly made: (index: number, sent: SentSecret) => void;
  /** The server wants us to wait for so many more seconds; called again every second. */
  readonly waiting: (seconds: number) => void;
  /** Of what is too long for one request. */
  readonly progress: Progress;
}

export interface LinkMaker {
  /**
   * Makes what is missing, one after another, and throws at the first that fails; called again it goes
   * on from there, with the very same bytes where the server may have them already. Waits where the
   * server limits how many may be made, however long that takes.
   */
  run(watcher: Watcher, signal: AbortSignal): Promise<void>;
  /** There won't be another run. */
  discard(): void;
}

const SECOND = 1_000;

/** Resolves a second later, or at once when the person has had enough. */
function second(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, SECOND);
    signal.addEventListener("abort", end);
  });
}

/** Rejects at once when aborted; what arrives after that all the same is given to `late`. */
function orAbort<T>(going: Promise<T>, signal: AbortSignal, late: (result: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      going.then(late, () => undefined);
      reject(signal.reason);
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    going.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** How many seconds the server asks for, where it limits how many secrets an address may make. */
function limitedFor(error: unknown): number | undefined {
  const { body, retryAfter } = error as Partial<ApiProblem>;
  return body?.code === "limited" ? (retryAfter ?? 60) : undefined;
}

export function createLinkMaker(count: number, tools: LinkMakerTools): LinkMaker {
  let next = 0;
  let current: Attempt | undefined;

  function drop(): void {
    current?.discard();
    current = undefined;
  }

  async function send({ waiting, progress }: Watcher, signal: AbortSignal): Promise<SentSecret> {
    current ??= await orAbort(tools.begin(next), signal, (attempt) => attempt.discard());
    for (;;) {
      try {
        const late = ({ receiptBearer }: SentSecret) => {
          tools.deleteSecret(receiptBearer).catch(() => undefined);
        };
        return await orAbort(current.send({ progress, signal }), signal, late);
      } catch (error) {
        const seconds = signal.aborted ? undefined : limitedFor(error);
        if (seconds === undefined) throw error;
        for (let left = seconds; left > 0 && !signal.aborted; left--) {
          waiting(left);
          await second(signal);
        }
        signal.throwIfAborted();
      }
    }
  }

  return {
    async run(watcher, signal) {
      for (; next < count; next++) {
        watcher.turn(next);
        try {
          const sent = await send(watcher, signal);
          current = undefined;
          watcher.made(next, sent);
        } catch (error) {
          if (signal.aborted || !tools.mayPass(error)) drop();
          throw error;
        }
      }
    },
    discard: drop,
  };
}
