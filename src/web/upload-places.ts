import type { SecretId } from "../envelope/tokens.ts";
import { UPLOAD_LIMITS } from "../store/store.ts";
import { Problem } from "./problem.ts";

/** Uploads that were begun here and are not known to have ended. */
export interface UploadPlaces {
  /** Before an upload begins. Throws a `limited` problem where this address has too many. */
  take(address: string, id: SecretId): void;
  /** A part has arrived: it is not given up yet. */
  keep(id: SecretId): void;
  /** It is sealed, deleted, or never began. */
  free(id: SecretId): void;
}

interface Place {
  readonly address: string;
  until: number;
}

/** Seconds after which somebody refused may well find a place. */
const TRY_AGAIN = 60;

/**
 * Places for `perAddress` unfinished uploads of each client address, in this process. What keeps the
 * store from being filled is its own bound over all replicas; this keeps one address from taking all
 * of that. `clock` gives milliseconds.
 */
export function createUploadPlaces(perAddress: number, clock: () => number = Date.now): UploadPlaces {
  const places = new Map<SecretId, Place>();
  const idle = UPLOAD_LIMITS.idle * 1000;

  /** Those that the store has given up by now went without a word. */
  function countOf(address: string): number {
    const now = clock();
    let count = 0;
    for (const [id, place] of places) {
      if (place.until <= now) places.delete(id);
      else if (place.address === address) count += 1;
    }
    return count;
  }

  return {
    take(address, id) {
      if (!places.has(id) && countOf(address) >= perAddress) {
        throw new Problem(
          "limited",
          "Too many files are being sent from your address. Wait for one to end.",
          {
            headers: { "Retry-After": String(TRY_AGAIN) },
          },
        );
      }
      places.set(id, { address, until: clock() + idle });
    },
    keep(id) {
      const place = places.get(id);
      if (place) place.until = clock() + idle;
    },
    free(id) {
      places.delete(id);
    },
  };
}
