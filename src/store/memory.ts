import { copyOf } from "../envelope/bytes.ts";
import {
  type Ciphertext,
  type SecretId,
  type Share,
  storedCiphertext,
  storedDigest,
  storedShare,
} from "../envelope/tokens.ts";
import { createDeadlines } from "./deadlines.ts";
import { digestBody, digestClaim, sameDigest } from "./digests.ts";
import { asOf, type Facts, isLive, MAX_EVENTS } from "./record.ts";
import {
  assertTtl,
  type Ended,
  type EndState,
  type EventKind,
  type SecretEvent,
  type Store,
  StoreFullError,
  type StoreLimits,
  StoreUnavailableError,
} from "./store.ts";

export interface MemoryStoreOptions {
  readonly limits: StoreLimits;
  /** Ciphertexts, and `RECORD_BYTES` for each record until it is forgotten. */
  readonly maxBytes: number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** About what a record costs beside its ciphertext: three digests, a share, a few events, the tables. */
export const RECORD_BYTES = 2_048;

const SWEEP_EVERY = 1_000;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
interface Entry extends Mutable<Omit<Facts, "events">> {
  readonly accessHash: Uint8Array;
  readonly body: Buffer;
  readonly events: SecretEvent[];
  share: Share | undefined;
  blob: Ciphertext | undefined;
  claim: Buffer | undefined;
  /** The end of the redelivery window. */
  until: number;
  received: boolean;
}

const MISSING = { kind: "missing" } as const;
const endedResult = (state: EndState, endedAt: number): Ended => ({ kind: "ended", state, endedAt });

/**
 * The embedded store: everything in this process, and gone with it. It is bounded by `maxBytes` and
 * refuses what no longer fits; bytes are overwritten as soon as they have served.
 */
export function createMemoryStore({ limits, maxBytes, clock = Date.now }: MemoryStoreOptions): Store {
  const entries = new Map<SecretId, Entry>();
  const deadlines = createDeadlines<SecretId>();
  const retention = limits.retention * 1000;
  let expired: SecretId[] = [];
  let usedBytes = 0;
  let pending = 0;
  let closed = false;

  function note(entry: Entry, kind: EventKind, at: number): void {
    if (entry.events.length >= MAX_EVENTS) entry.events.splice(1, 1);
    entry.events.push({ at, kind });
  }

  function destroyContent(entry: Entry): void {
    entry.share?.fill(0);
    entry.blob?.fill(0);
    usedBytes -= entry.blob?.length ?? 0;
    entry.share = undefined;
    entry.blob = undefined;
  }

  function end(entry: Entry, state: EndState, at: number): void {
    entry.state = state;
    entry.endedAt = at;
    note(entry, state, at);
    pending -= 1;
    deadlines.add(at + retention, entry.id);
  }

  /** Lets time take its effect on an entry; undefined once it is forgotten. */
  function settle(entry: Entry, now: number): Entry | undefined {
    if (isLive(entry.state) && now >= entry.expiresAt) {
      end(entry, "expired", entry.expiresAt);
      expired.push(entry.id);
    }
    if (isLive(entry.state)) return entry;
    if (now >= entry.until) destroyContent(entry);
    if (entry.endedAt === undefined || now < entry.endedAt + retention) return entry;
    destroyContent(entry);
    entries.delete(entry.id);
    usedBytes -= RECORD_BYTES;
    return undefined;
  }

  function find(id: SecretId, now: number): Entry | undefined {
    if (closed) throw new StoreUnavailableError();
    const entry = entries.get(id);
    return entry && settle(entry, now);
  }

  function sweep(): void {
    const now = clock();
    for (let id = deadlines.takeDue(now); id !== undefined; id = deadlines.takeDue(now)) {
      const entry = entries.get(id);
      if (entry) settle(entry, now);
    }
  }
  const timer = setInterval(sweep, SWEEP_EVERY).unref();

  return {
    async check() {
      return [];
    },

    async ping() {
      if (closed) throw new StoreUnavailableError();
    },

    async create(secret) {
      assertTtl(secret.ttl, limits.maxTtl);
      const now = clock();
      const body = digestBody(secret);
      const known = find(secret.id, now);
      if (known) {
        const { createdAt, expiresAt } = known;
        return sameDigest(known.body, body)
          ? { kind: "created", existed: true, createdAt, expiresAt }
          : { kind: "conflict" };
      }
      const bytes = RECORD_BYTES + secret.blob.length;
      if (usedBytes + bytes > maxBytes) sweep();
      if (usedBytes + bytes > maxBytes) throw new StoreFullError();
      const expiresAt = now + secret.ttl * 1000;
      entries.set(secret.id, {
        id: secret.id,
        linkHash: storedDigest(secret.linkHash.slice()),
        accessHash: secret.accessHash.slice(),
        receiptHash: storedDigest(secret.receiptHash.slice()),
        share: storedShare(copyOf(secret.share)),
        blob: storedCiphertext(secret.blob.slice()),
        state: "sealed",
        passphrase: secret.passphrase,
        size: secret.blob.length,
        createdAt: now,
        expiresAt,
        endedAt: undefined,
        tries: 0,
        events: [{ at: now, kind: "sealed" }],
        body,
        claim: undefined,
        until: 0,
        received: false,
      });
      usedBytes += bytes;
      pending += 1;
      deadlines.add(expiresAt, secret.id);
      return { kind: "created", existed: false, createdAt: now, expiresAt };
    },

    async read(id) {
      const now = clock();
      const entry = find(id, now);
      return entry && asOf(entry, now, limits.passphraseTries);
    },

    async readBlob(id) {
      const blob = find(id, clock())?.blob;
      return blob && storedCiphertext(blob.slice());
    },

    async open({ id, linkHash, accessHash, claim }) {
      const now = clock();
      const entry = find(id, now);
      if (!entry || !sameDigest(entry.linkHash, linkHash)) return MISSING;
      const allowed = sameDigest(entry.accessHash, accessHash);
      const claimed = claim && digestClaim(claim);

      if (!isLive(entry.state)) {
        const again = allowed && entry.claim && claimed && sameDigest(entry.claim, claimed);
        return again && entry.share
          ? { kind: "handed-over", share: storedShare(copyOf(entry.share)), first: false }
          : endedResult(entry.state, entry.endedAt ?? now);
      }
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
      if (entry.until > now) deadlines.add(entry.until, id);
      else destroyContent(entry);
      return { kind: "handed-over", share, first: true };
    },

    async acknowledge(id, claim) {
      const now = clock();
      const entry = find(id, now);
      if (!entry) return MISSING;
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
      destroyContent(entry);
      if (isLive(entry.state)) {
        end(entry, "deleted", now);
        return { kind: "deleted", first: true, endedAt: now };
      }
      const endedAt = entry.endedAt ?? now;
      return entry.state === "deleted"
        ? { kind: "deleted", first: false, endedAt }
        : endedResult(entry.state, endedAt);
    },

    async unlock(id) {
      const now = clock();
      const entry = find(id, now);
      if (!entry) return MISSING;
      if (!isLive(entry.state)) return endedResult(entry.state, entry.endedAt ?? now);
      if (entry.tries > 0) note(entry, "unlocked", now);
      entry.state = "sealed";
      entry.tries = 0;
      return { kind: "unlocked", triesLeft: limits.passphraseTries };
    },

    async collectExpired() {
      sweep();
      const collected = expired;
      expired = [];
      return collected;
    },

    async countPending() {
      return pending;
    },

    async memory() {
      return [{ place: "embedded", node: "", used: usedBytes, budget: maxBytes }];
    },

    async close() {
      closed = true;
      clearInterval(timer);
      for (const entry of entries.values()) destroyContent(entry);
      entries.clear();
      deadlines.clear();
    },
  };
}
