/** A worker's code couldn't be loaded; nothing was sent, and the same click may be tried again. */
export class WorkerLoadError extends Error {
  override readonly name = "WorkerLoadError";
}

const urls = new Set([ARGON2ID_WORKER, SEAL_WORKER].map((file) => new URL(file, import.meta.url).href));

// The page's policy forbids any script URL that hasn't passed here, and this passes just our own two.
const policy = window.trustedTypes?.createPolicy("waxseal-worker", {
  createScriptURL(url) {
    if (!urls.has(url)) throw new TypeError("Not a worker's address.");
    return url;
  },
});

export function startWorker(file: string): Worker {
  const { href } = new URL(file, import.meta.url);
  return new Worker((policy?.createScriptURL(href) ?? href) as string);
}
