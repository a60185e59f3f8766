import { after, before } from "node:test";
import type { Store, StoreLimits } from "./store.ts";

/** A store under test, and time in its hands. */
export interface StoreHarness {
  readonly store: Store;
  /** A second replica's view of the same backend; the same store where there is only one process. */
  another(): Promise<Store>;
  /** Makes the store's clock, and every time to live, this much later. */
  advance(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a store that is empty. */
export type MakeStore = (limits: StoreLimits, followEnds: boolean) => Promise<StoreHarness>;

export const LIMITS: StoreLimits = {
  retention: 10_000,
  passphraseTries: 3,
  redeliveryWindow: 30,
  maxTtl: 5_000,
};

/** A harness that is there while the tests of a `describe` run. */
export interface Fixture {
  readonly current: StoreHarness;
}

export function useStore(
  makeStore: MakeStore,
  limits: Partial<StoreLimits> = {},
  followEnds = false,
): Fixture {
  let harness: StoreHarness | undefined;
  before(async () => {
    const made = await makeStore({ ...LIMITS, ...limits }, followEnds);
    harness = {
      ...made,
      async advance(seconds) {
        // What an act sends to the due index beside itself has arrived once this is answered.
        await made.store.countPending();
        await made.advance(seconds);
      },
    };
  });
  after(async () => {
    await harness?.close();
  });
  return {
    get current() {
      if (!harness) throw new Error("The store is there inside of tests only.");
      return harness;
    },
  };
}
