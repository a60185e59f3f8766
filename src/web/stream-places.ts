import { Problem } from "./problem.ts";

export interface StreamPlacesOptions {
  /** In this process. */
  readonly total: number;
  /** Of these, for one client address. */
  readonly perAddress: number;
}

/** Each takes a connection and some kilobytes; a tab that finds no place asks now and then instead. */
export const STREAM_PLACES: StreamPlacesOptions = { total: 1_000, perAddress: 16 };

/** Places for streams that stay open. */
export interface StreamPlaces {
  /** Returns how to give it back, once. Throws a problem where there is none. */
  take(address: string): () => void;
  readonly taken: number;
}

/** Seconds until somebody refused may ask again. */
const TRY_AGAIN = { "Retry-After": "30" };

export function createStreamPlaces({ total, perAddress }: StreamPlacesOptions): StreamPlaces {
  const byAddress = new Map<string, number>();
  let taken = 0;
  return {
    take(address) {
      const own = byAddress.get(address) ?? 0;
      if (own >= perAddress) {
        const detail =
          "Too many receipts are followed from your address. Ask for the receipt itself instead.";
        throw new Problem("limited", detail, { headers: TRY_AGAIN });
      }
      if (taken >= total) {
        const detail = "Too many receipts are followed at this moment. Ask for the receipt itself instead.";
        throw new Problem("unavailable", detail, { headers: TRY_AGAIN });
      }
      byAddress.set(address, own + 1);
      taken++;
      return () => {
        const left = (byAddress.get(address) ?? 1) - 1;
        if (left > 0) byAddress.set(address, left);
        else byAddress.delete(address);
        taken--;
      };
    },
    get taken() {
      return taken;
    },
  };
}
