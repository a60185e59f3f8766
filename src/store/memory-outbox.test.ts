import { outboxContract } from "./contract-outbox.ts";
import { createMemoryOutbox } from "./memory-outbox.ts";

outboxContract("The embedded outbox", async (limits) => {
  let now = Date.now();
  const outbox = createMemoryOutbox({ limits, clock: () => now });
  return {
    outbox,
    another: async () => outbox,
    async advance(seconds) {
      now += seconds * 1000;
    },
    async close() {},
  };
});
