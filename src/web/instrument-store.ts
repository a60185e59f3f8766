import type { SecretId } from "../envelope/tokens.ts";
import { type OpenResult, type Store, StoreFullError } from "../store/store.ts";
import type { Audit } from "./audit.ts";
import type { Metrics } from "./metrics.ts";

/**
 * The same store, with each act timed and each event counted and written down. The store's results
 * are the one place that knows what truly happened, so events are read from those and not from HTTP.
 * `onChange` is called after each act that changed a record in a way that somebody is told of, and
 * after each repetition of one, whose first time may not have come so far; it must not throw.
 */
export function instrumentStore(
  store: Store,
  metrics: Metrics,
  audit: Audit,
  onChange: (id: SecretId) => void,
): Store {
  async function timed<T>(operation: string, act: () => Promise<T>): Promise<T> {
    const stop = metrics.storeDuration.startTimer({ operation });
    try {
      return await act();
    } finally {
      stop();
    }
  }

  function countCreated(id: SecretId): void {
    metrics.created.inc();
    audit("created", id);
  }

  function countAbandoned(id: SecretId): void {
    metrics.abandoned.inc();
    audit("upload-abandoned", id);
  }

  function recordOpening(id: SecretId, result: OpenResult): void {
    switch (result.kind) {
      case "handed-over":
        if (result.first) metrics.opened.inc();
        audit(result.first ? "opened" : "redelivered", id);
        onChange(id);
        return;
      case "wrong-passphrase":
        metrics.wrongPassphrases.inc();
        onChange(id);
        audit("denied", id, "wrong-passphrase");
        if (result.triesLeft === 0) {
          metrics.locked.inc();
          audit("locked", id);
        }
        return;
      case "locked":
        audit("denied", id, "locked");
        return;
      case "ended":
        // Whoever asks first may be who finds the share gone.
        if (result.state === "lost") onChange(id);
        return;
      case "missing":
    }
  }

  return {
    check: () => store.check(),
    ping: () => timed("ping", () => store.ping()),
    async create(secret) {
      const result = await timed("create", () => store.create(secret)).catch((error: unknown) => {
        if (error instanceof StoreFullError) metrics.full.inc();
        throw error;
      });
      if (result.kind === "created" && !result.existed) {
        // An upload is a secret only once it is sealed.
        if (secret.blob) countCreated(secret.id);
        else audit("upload-begun", secret.id);
      }
      if (result.kind === "created") onChange(secret.id);
      return result;
    },
    writeBlob: (id, offset, bytes) => timed("write-blob", () => store.writeBlob(id, offset, bytes)),
    async sealUpload(id) {
      const result = await timed("seal-upload", () => store.sealUpload(id));
      if (result.kind === "sealed" && result.first) countCreated(id);
      if (result.kind === "sealed") onChange(id);
      return result;
    },
    read: (id) => timed("read", () => store.read(id)),
    readBlob: (id, start, end) => timed("read-blob", () => store.readBlob(id, start, end)),
    async open(request) {
      const result = await timed("open", () => store.open(request));
      recordOpening(request.id, result);
      return result;
    },
    async acknowledge(id, claim) {
      const result = await timed("acknowledge", () => store.acknowledge(id, claim));
      if (result.kind === "acknowledged") onChange(id);
      return result;
    },
    async delete(id) {
      const result = await timed("delete", () => store.delete(id));
      if (result.kind === "deleted" && result.first) {
        if (result.wasSealed) {
          metrics.deleted.inc();
          audit("deleted", id);
        } else countAbandoned(id);
      }
      if (result.kind === "deleted") onChange(id);
      return result;
    },
    async unlock(id) {
      const result = await timed("unlock", () => store.unlock(id));
      if (result.kind === "unlocked") {
        audit("unlocked", id);
        onChange(id);
      }
      return result;
    },
    async note(id, kind, quiet) {
      const result = await timed("note", () => store.note(id, kind, quiet));
      if (result.kind === "noted") {
        onChange(id);
        // Of refused attempts each is written down where it is refused, those in quick succession too.
        if (kind === "visited") audit("visited", id);
      }
      return result;
    },
    async collectExpired(beforeForget) {
      const ids = await timed("collect-expired", () => store.collectExpired(beforeForget));
      for (const id of ids) {
        metrics.expired.inc();
        audit("expired", id);
        onChange(id);
      }
      return ids;
    },
    async collectAbandoned() {
      const ids = await timed("collect-abandoned", () => store.collectAbandoned());
      for (const id of ids) {
        countAbandoned(id);
        onChange(id);
      }
      return ids;
    },
    countPending: () => timed("count-pending", () => store.countPending()),
    memory: () => store.memory(),
    close: () => store.close(),
  };
}
