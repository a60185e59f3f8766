import { element, show } from "./dom.ts";

/**
 * Runs a page's script, unless the browser has switched encryption off because the page came over
 * plain http; then it says so, and offers `page` over https. There is no home-made fallback: what
 * would encrypt could have been altered on its way. The page counts as ready only when that has worked:
 * until then the watchdog of waxseal.css waits to speak.
 */
export function startPage(page: "" | "s" | "r" | "links", run: () => void): void {
  if (isSecureContext && globalThis.crypto?.subtle) run();
  else offerHttps(page);
  document.documentElement.dataset.ready = "";
}

function offerHttps(page: string): void {
  const secure = new URL(document.documentElement.dataset.publicUrl ?? location.href);
  if (secure.protocol !== "https:") {
    secure.host = location.hostname;
    secure.protocol = "https:";
    secure.port = "";
  }
  secure.pathname = `${secure.pathname.replace(/\/$/, "")}/${page}`;
  secure.hash = location.hash;
  element("switch-to-https", HTMLAnchorElement).href = secure.href;
  show("insecure");
}

/** Runs `wipe` when the page is left, and `returned` when the back/forward cache brings it back. */
export function onLeave(wipe: () => void, returned: () => void): void {
  addEventListener("pagehide", wipe);
  addEventListener("pageshow", (event) => {
    if (event.persisted) returned();
  });
}
