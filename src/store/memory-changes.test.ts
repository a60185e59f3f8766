import { changesContract } from "./contract-changes.ts";
import { createMemoryChanges } from "./memory-changes.ts";

changesContract("Changes of the embedded store", async () => {
  const changes = createMemoryChanges();
  return { changes, another: async () => changes, close: () => changes.close() };
});
