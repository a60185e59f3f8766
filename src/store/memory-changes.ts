import type { Changes } from "./changes.ts";
import { createWatchers } from "./watchers.ts";

/** For the embedded store, which has one process. */
export function createMemoryChanges(): Changes {
  const watchers = createWatchers();
  return {
    // Later, so that what was changed has been answered before anybody reads it again.
    publish: (id) => void setImmediate(() => watchers.tell(id)),
    watch: (id, onChange) => watchers.add(id, onChange),
    async close() {
      watchers.clear();
    },
  };
}
