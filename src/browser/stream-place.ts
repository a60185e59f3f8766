/**
 * Streams at a time in all tabs of this browser. Over HTTP/1.1 it has six connections to a server, and what
 * streams would not leave, every other page and request in it would wait for.
 */
const PLACES = 3;

/** Runs `work` in one of the places, as soon as asked. False where none is free: nothing was run. */
export async function inStreamPlace(work: () => Promise<void>): Promise<boolean> {
  for (let place = 1; place <= PLACES; place++) {
    const done = await navigator.locks.request(
      `waxseal.stream ${place}`,
      { ifAvailable: true },
      async (lock) => {
        if (lock) await work();
        return lock !== null;
      },
    );
    if (done) return true;
  }
  return false;
}
