import { Gauge, type Registry } from "prom-client";
import type { Store, StoreMemory } from "../store/store.ts";
import { within } from "../store/within.ts";

/** Milliseconds that a scrape waits for the store. */
const SCRAPE_PATIENCE = 1000;

/**
 * How full the store is: one series for each Redis, and of a Cluster for each node. All absent while
 * the store does not answer, and budget and head room absent where nothing limits it.
 */
export function registerStoreMemory(registry: Registry, store: Pick<Store, "memory">): void {
  let look: Promise<readonly StoreMemory[]> = Promise.resolve([]);
  const lookAgain = () => {
    look = within(SCRAPE_PATIENCE, store.memory()).catch(() => []);
  };

  function gauge(
    name: string,
    help: string,
    pick: (memory: StoreMemory) => number | undefined,
    before?: () => void,
  ): void {
    new Gauge({
      name: `waxseal_store_memory_${name}_bytes`,
      help,
      labelNames: ["store", "node"],
      registers: [registry],
      async collect() {
        before?.();
        const places = await look;
        // A node that has left must not stay.
        this.reset();
        for (const memory of places) {
          const value = pick(memory);
          const node = memory.node === "" ? {} : { node: memory.node };
          if (value !== undefined) this.set({ store: memory.place, ...node }, value);
        }
      },
    });
  }

  // One look per scrape for all: collectors start in the order in which they are registered.
  gauge("used", "Memory in use where secrets are kept", ({ used }) => used, lookAgain);
  gauge("budget", "Memory use from which on new secrets are refused", ({ budget }) => budget);
  gauge(
    "head_room",
    "Memory left for new secrets; below zero where more than the budget is used",
    ({ used, budget }) => (budget === undefined ? undefined : budget - used),
  );
}
