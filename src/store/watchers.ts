import type { SecretId } from "../envelope/tokens.ts";

/** Who in this process looks on at which secret. */
export interface Watchers {
  /** Returns how to stop, which may be called twice. */
  add(id: SecretId, onChange: () => void): () => void;
  tell(id: SecretId): void;
  /** After a gap in which hints may have been lost. */
  tellAll(): void;
  clear(): void;
  readonly size: number;
}

export function createWatchers(): Watchers {
  const byId = new Map<SecretId, Set<() => void>>();
  return {
    add(id, onChange) {
      // Of its own, so that the same function may look on twice.
      const watcher = () => onChange();
      const watchers = byId.get(id) ?? new Set();
      byId.set(id, watchers.add(watcher));
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0 && byId.get(id) === watchers) byId.delete(id);
      };
    },
    tell(id) {
      for (const watcher of [...(byId.get(id) ?? [])]) watcher();
    },
    tellAll() {
      for (const watchers of [...byId.values()]) for (const watcher of [...watchers]) watcher();
    },
    clear: () => byId.clear(),
    get size() {
      return byId.size;
    },
  };
}
