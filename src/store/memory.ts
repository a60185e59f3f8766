import { copyOf } from "../envelope/bytes.ts";
import { storedShare } from "../envelope/tokens.ts";
import { digestClaim, sameDigest } from "./digests.ts";
import { addNote, createEntries, note } from "./memory-entries.ts";
import { createMemoryUploads } from "./memory-upload.ts";
import { asOf, isLive, isUnended } from "./record.ts";
import {
  assertReadable,
  type Ended,
  type EndState,
  type Store,
  type StoreLimits,
  StoreUnavailableError,
  UPLOAD_LIMITS,
} from "./store.ts";

export interface MemoryStoreOptions {
  readonly limits: StoreLimits;
  /** Ciphertexts, and `RECORD_BYTES` (memory-entries.ts) for each record until it is forgotten. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /** See `collectExpired`. */
  readonly followEnds?: boolean;
}

const MISSING = { kind: "missing" } as const;
const endedResult = (state: EndState, endedAt: number): Ended => ({ kind: "ended", state, endedAt });

/**
 * The embedded store: everything in this process, and gone with it. It is bounded by `maxBytes` and
 * refuses what no longer fits; bytes are overwritten as soon as they have served.
 */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { limits, maxBytes, clock = Date.now, followEnds = false } = options;
  const entries = createEntries({
    retention: limits.retention * 1000,
    uploads: limits.uploads ?? UPLOAD_LIMITS,
    maxBytes,
    clock,
    followEnds,
  });
  const { find, end, destroyContent, hasten } = entries;

  return {
    ...createMemoryUploads(entries, limits, clock),

    async check() {
      return [];
    },

    async ping() {
      entries.assertOpen();
    },

    async read(id) {
      const now = clock();
      const entry = find(id, now);
      return entry && asOf(entry, now, limits.passphraseTries);
    },

    async readBlob(id, start, end) {
      assertReadable(start, end);
      const entry = find(id, clock());
      return entry?.blob && entry.state !== "uploading" && end <= entry.size
        ? entry.blob.read(start, end)
        : undefined;
    },

    async open({ id, linkHash, accessHash, claim, again = false }) {
      const now = clock();
      const entry = find(id, now);
      if (!entry || entry.state === "uploading" || !sameDigest(entry.linkHash, linkHash)) return MISSING;
      hasten(entry, now);
      const allowed = sameDigest(entry.accessHash, accessHash);
      const claimed = claim && digestClaim(claim);

      if (!isLive(entry.state)) {
        const isClaimant = allowed && entry.claim && claimed && sameDigest(entry.claim, claimed);
        return isClaimant && entry.share
          ? { kind: "handed-over", share: storedShare(copyOf(entry.share)), first: false }
          : endedResult(entry.state, entry.endedAt ?? now);
      }
      if (again) throw new StoreUnavailableError();
      if (entry.state === "locked") return { kind: "locked" };
      if (!allowed) {
        entry.tries += 1;
        note(entry, "wrong-passphrase", now);
        const triesLeft = Math.max(0, limits.passphraseTries - entry.tries);
        if (triesLeft === 0) {
          entry.state = "locked";
          note(entry, "locked", now);
        }
        return { kind: "wrong-passphrase", triesLeft };
      }
      if (!entry.share) throw new StoreUnavailableError(); // a live entry has its share
      const share = storedShare(copyOf(entry.share));
      end(entry, "opened", now);
      entry.claim = claimed;
      entry.until = claimed ? Math.min(now + limits.redeliveryWindow * 1000, entry.expiresAt) : now;
      if (entry.until > now) entries.lookAgain(entry, entry.until);
      else destroyContent(entry);
      return { kind: "handed-over", share, first: true };
    },

    async acknowledge(id, claim) {
      const now = clock();
      const entry = find(id, now);
      if (!entry || entry.state === "uploading") return MISSING;
      if (!entry.claim || !sameDigest(entry.claim, digestClaim(claim))) return { kind: "refused" };
      destroyContent(entry);
      if (!entry.received) note(entry, "received", now);
      entry.received = true;
      return { kind: "acknowledged" };
    },

    async delete(id) {
      const now = clock();
      const entry = find(id, now);
      if (!entry) return MISSING;
      hasten(entry, now);
      destroyContent(entry);
      const wasSealed = entry.events[0]?.kind === "sealed";
      if (isUnended(entry.state)) {
        end(entry, "deleted", now);
        return { kind: "deleted", first: true, wasSealed, endedAt: now };
      }
      const endedAt = entry.endedAt ?? now;
      return entry.state === "deleted"
        ? { kind: "deleted", first: false, wasSealed, endedAt }
        : endedResult(entry.state, endedAt);
    },

    async unlock(id) {
      const now = clock();
      const entry = find(id, now);
      if (!entry) return MISSING;
      if (!isUnended(entry.state)) return endedResult(entry.state, entry.endedAt ?? now);
      hasten(entry, now);
      if (entry.tries > 0) note(entry, "unlocked", now);
      if (entry.state === "locked") entry.state = "sealed";
      entry.tries = 0;
      return { kind: "unlocked", triesLeft: limits.passphraseTries };
    },

    async note(id, kind, quiet) {
      const now = clock();
      const entry = find(id, now);
      if (!entry || entry.state === "uploading") return MISSING;
      if (!isLive(entry.state)) return endedResult(entry.state, entry.endedAt ?? now);
      if (kind !== "visited") hasten(entry, now);
      return { kind: addNote(entry, kind, now, quiet) ? "noted" : "quiet" };
    },

    async collectExpired(beforeForget = async () => {}) {
      entries.sweep();
      const expired = entries.takeExpired();
      const failures = await entries.follow(beforeForget);
      if (failures.length > 0 && expired.length === 0) throw failures[0];
      return expired;
    },

    async collectAbandoned() {
      entries.sweep();
      return entries.takeAbandoned();
    },

    async countPending() {
      return entries.countPending();
    },

    async memory() {
      return [{ place: "embedded", node: "", used: entries.usedBytes(), budget: maxBytes }];
    },

    async close() {
      entries.close();
    },
  };
}
