export interface AddressPlacesOptions {
  /** In this process. */
  readonly total: number;
  /** Of these, for one client address. */
  readonly perAddress: number;
}

/** Places for what takes a while. */
export interface AddressPlaces {
  /** Returns how to give it back, to be called once; or whose places are all taken: this address' or everybody's. */
  take(address: string): (() => void) | "address" | "everybody";
  readonly taken: number;
}

export function createAddressPlaces({ total, perAddress }: AddressPlacesOptions): AddressPlaces {
  const byAddress = new Map<string, number>();
  let taken = 0;
  return {
    take(address) {
      const own = byAddress.get(address) ?? 0;
      if (own >= perAddress) return "address";
      if (taken >= total) return "everybody";
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
