import type { SecretId } from "../envelope/tokens.ts";
import { UPLOAD_LIMITS } from "../store/store.ts";
import { Problem } from "./problem.ts";

/** Uploads that were begun here and are not known to have ended. */
export interface UploadPlaces {
  /**
   * Before the store is asked to begin an upload. True where the place is new: who then fails to begin
   * it gives it back. Throws a `limited` problem where this address has too many.
   */
  take(address: string, id: SecretId): Promise<boolean>;
  /** The store has it. */
  begin(address: string, id: SecretId): void;
  /** A new place whose upload did not begin; one that somebody else began meanwhile stays. */
  giveBack(id: SecretId): void;
  /** A part has arrived: it is not given up yet. */
  keep(id: SecretId): void;
  /** It is sealed or has ended. */
  free(id: SecretId): void;
}

interface Place {
  readonly address: string;
  /** Until then nothing can be asked about it. */
  begun: boolean;
  until: number;
}

/** Seconds after which somebody refused may well find a place. */
const TRY_AGAIN = 60;

/**
 * Places for `perAddress` unfinished uploads of each client address, in this process. What keeps the
 * store from being filled is its own bound over all replicas; this keeps one address from taking all
 * of that. An upload may end by way of another replica, so nobody is refused before `isUploading` was
 * asked about each of the address' own. `clock` gives milliseconds.
 */
export function createUploadPlaces(
  perAddress: number,
  isUploading: (id: SecretId) => Promise<boolean>,
  clock: () => number = Date.now,
): UploadPlaces {
  const places = new Map<SecretId, Place>();
  const idle = UPLOAD_LIMITS.idle * 1000;

  /** Those that the store has given up by now went without a word. */
  function placesOf(address: string): [SecretId, Place][] {
    const now = clock();
    const own: [SecretId, Place][] = [];
    for (const entry of places) {
      const [id, place] = entry;
      if (place.until <= now) places.delete(id);
      else if (place.address === address) own.push(entry);
    }
    return own;
  }

  async function dropEnded(address: string): Promise<void> {
    const begun = placesOf(address).filter(([, place]) => place.begun);
    await Promise.all(
      begun.map(async ([id, place]) => {
        if (!(await isUploading(id)) && places.get(id) === place) places.delete(id);
      }),
    );
  }

  return {
    async take(address, id) {
      const isFull = () => !places.has(id) && placesOf(address).length >= perAddress;
      if (isFull()) await dropEnded(address);
      if (isFull()) {
        throw new Problem(
          "limited",
          "Too many files are being sent from your address. Wait for one to end.",
          {
            headers: { "Retry-After": String(TRY_AGAIN) },
          },
        );
      }
      if (places.has(id)) return false;
      places.set(id, { address, begun: false, until: clock() + idle });
      return true;
    },
    begin(address, id) {
      // Its first address keeps it: to announce it again from elsewhere must not empty a place here.
      const place = places.get(id) ?? { address, begun: true, until: 0 };
      place.begun = true;
      place.until = clock() + idle;
      places.set(id, place);
    },
    giveBack(id) {
      if (places.get(id)?.begun === false) places.delete(id);
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
