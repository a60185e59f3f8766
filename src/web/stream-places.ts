import { type AddressPlacesOptions, createAddressPlaces } from "./address-places.ts";
import { Problem } from "./problem.ts";

/** Each takes a connection and some kilobytes; a tab that finds no place asks now and then instead. */
export const STREAM_PLACES: AddressPlacesOptions = { total: 1_000, perAddress: 16 };

/** Places for streams that stay open. */
export interface StreamPlaces {
  /** Returns how to give it back, once. Throws a problem where there is none. */
  take(address: string): () => void;
  readonly taken: number;
}

/** Seconds until somebody refused may ask again. */
const TRY_AGAIN = { "Retry-After": "30" };

export function createStreamPlaces(options: AddressPlacesOptions): StreamPlaces {
  const places = createAddressPlaces(options);
  return {
    take(address) {
      const place = places.take(address);
      if (place === "address") {
        const detail =
          "Too many receipts are followed from your address. Ask for the receipt itself instead.";
        throw new Problem("limited", detail, { headers: TRY_AGAIN });
      }
      if (place === "everybody") {
        const detail = "Too many receipts are followed at this moment. Ask for the receipt itself instead.";
        throw new Problem("unavailable", detail, { headers: TRY_AGAIN });
      }
      return place;
    },
    get taken() {
      return places.taken;
    },
  };
}
