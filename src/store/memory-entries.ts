import type { SecretId, Share } from "../envelope/tokens.ts";
import { createDeadlines } from "./deadlines.ts";
import { LOOK_SOON } from "./looks.ts";
import type { MemoryBlob } from "./memory-blob.ts";
import { createMemoryLooks } from "./memory-looks.ts";
import { type Facts, isLive, isUnended, MAX_EVENTS, MAX_NOTES } from "./record.ts";
import {
  type EndState,
  type EventKind,
  type NoteKind,
  type SecretEvent,
  StoreFullError,
  StoreUnavailableError,
  type UploadLimits,
  UploadsFullError,
} from "./store.ts";

/** About what a record costs beside its ciphertext: three digests, a share, a few events, the tables. */
export const RECORD_BYTES = 2_048;

/** And what was attached to it. */
function recordBytes({ rules = "", sender = "" }: Pick<Entry, "rules" | "sender">): number {
  return RECORD_BYTES + Buffer.byteLength(rules) + Buffer.byteLength(sender);
}

const SWEEP_EVERY = 1_000;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
export interface Entry extends Mutable<Omit<Facts, "events" | "notes">> {
  readonly accessHash: Uint8Array;
  readonly body: Buffer;
  readonly ttl: number;
  readonly events: SecretEvent[];
  readonly notes: SecretEvent[];
  share: Share | undefined;
  blob: MemoryBlob | undefined;
  claim: Buffer | undefined;
  /** The end of the redelivery window. */
  until: number;
  received: boolean;
}

/** What the embedded store holds, what room that takes, and what time does to it. */
export interface Entries {
  /** As of now; undefined once it is forgotten. Throws when the store is closed. */
  find(id: SecretId, now: number): Entry | undefined;
  /** Throws `StoreFullError` or `UploadsFullError`, and then keeps nothing. */
  add(entry: Entry): void;
  /** Begins the time to live of an upload that has all its bytes. */
  seal(entry: Entry, now: number): void;
  end(entry: Entry, state: EndState, at: number): void;
  destroyContent(entry: Entry): void;
  /** Sees to it that the entry is looked at then. */
  lookAgain(entry: Entry, at: number): void;
  /** For an act that may have to be told of, where ends are followed. */
  hasten(entry: Entry, now: number): void;
  /** Calls `tell` for those of which there may be something to tell, and forgets the senders of those that have ended. */
  follow(tell: (id: SecretId) => Promise<void>): Promise<readonly unknown[]>;
  sweep(): void;
  takeExpired(): SecretId[];
  takeAbandoned(): SecretId[];
  countPending(): number;
  /** Records and declared sizes. */
  usedBytes(): number;
  assertOpen(): void;
  close(): void;
}

export function note(entry: Entry, kind: EventKind, at: number): void {
  if (entry.events.length >= MAX_EVENTS) entry.events.splice(1, 1);
  entry.events.push({ at, kind });
}

/** Adds a note of what changes nothing; false where one of its kind is younger than `quiet` milliseconds. */
export function addNote({ notes }: Entry, kind: NoteKind, at: number, quiet: number): boolean {
  const latest = notes.findLast((note) => note.kind === kind);
  if (latest && Math.abs(at - latest.at) < quiet) return false;
  if (notes.length >= MAX_NOTES) notes.shift();
  notes.push({ at, kind });
  return true;
}

export interface EntriesOptions {
  /** Milliseconds that an end state outlives its secret. */
  readonly retention: number;
  /** Unfinished ones get no more than half of `maxBytes`, so that there is room for what is whole. */
  readonly uploads: UploadLimits;
  readonly maxBytes: number;
  readonly clock: () => number;
  readonly followEnds: boolean;
}

export function createEntries(options: EntriesOptions): Entries {
  const { retention, uploads, maxBytes, clock, followEnds } = options;
  const looks = createMemoryLooks();
  const entries = new Map<SecretId, Entry>();
  const deadlines = createDeadlines<SecretId>();
  let expired: SecretId[] = [];
  let abandoned: SecretId[] = [];
  /** Declared sizes, whether or not the bytes have come. */
  let usedBytes = 0;
  let uploadBytes = 0;
  let pending = 0;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new StoreUnavailableError();
  }

  function destroyContent(entry: Entry): void {
    entry.share?.fill(0);
    entry.blob?.wipe();
    usedBytes -= entry.blob?.size ?? 0;
    entry.share = undefined;
    entry.blob = undefined;
    entry.held = [];
  }

  function forgetSender(entry: Entry): void {
    usedBytes -= recordBytes(entry);
    entry.sender = undefined;
    usedBytes += recordBytes(entry);
  }

  function end(entry: Entry, state: EndState, at: number): void {
    if (isLive(entry.state)) pending -= 1;
    else {
      uploadBytes -= entry.size;
      // Nobody is told of an upload that came to nothing.
      forgetSender(entry);
    }
    entry.state = state;
    entry.endedAt = at;
    note(entry, state, at);
    deadlines.add(at + retention, entry.id);
  }

  /** Lets time take its effect on an entry; undefined once it is forgotten. */
  function settle(entry: Entry, now: number): Entry | undefined {
    if (isUnended(entry.state) && now >= entry.expiresAt) {
      if (entry.state === "uploading") abandoned.push(entry.id);
      else {
        expired.push(entry.id);
        if (followEnds) looks.hasten(entry.id, entry.expiresAt);
      }
      end(entry, "expired", entry.expiresAt);
    }
    if (isUnended(entry.state)) return entry;
    if (now >= entry.until) destroyContent(entry);
    if (entry.endedAt === undefined || now < entry.endedAt + retention) return entry;
    destroyContent(entry);
    entries.delete(entry.id);
    usedBytes -= recordBytes(entry);
    return undefined;
  }

  function sweep(): void {
    const now = clock();
    for (let id = deadlines.takeDue(now); id !== undefined; id = deadlines.takeDue(now)) {
      const entry = entries.get(id);
      if (!entry || !settle(entry, now)) continue;
      // Each piece of an upload moves its deadline, which is only looked at when the old one is due.
      if (entry.state === "uploading") deadlines.add(entry.expiresAt, id);
    }
  }
  const timer = setInterval(sweep, SWEEP_EVERY).unref();

  return {
    find(id, now) {
      assertOpen();
      const entry = entries.get(id);
      return entry && settle(entry, now);
    },
    add(entry) {
      const bytes = recordBytes(entry) + entry.size;
      const uploading = entry.state === "uploading";
      // One that is alone may need more than its half.
      const most = Math.min(uploads.maxBytes, Math.max(maxBytes / 2, entry.size));
      const crowded = () => uploading && uploadBytes + entry.size > most;
      if (usedBytes + bytes > maxBytes || crowded()) sweep();
      if (usedBytes + bytes > maxBytes) throw new StoreFullError();
      if (crowded()) throw new UploadsFullError();
      entries.set(entry.id, entry);
      usedBytes += bytes;
      if (uploading) uploadBytes += entry.size;
      else pending += 1;
      deadlines.add(entry.expiresAt, entry.id);
    },
    seal(entry, now) {
      entry.state = "sealed";
      entry.held = [];
      entry.expiresAt = now + entry.ttl;
      note(entry, "sealed", now);
      uploadBytes -= entry.size;
      pending += 1;
      deadlines.add(entry.expiresAt, entry.id);
    },
    end,
    destroyContent,
    lookAgain: (entry, at) => deadlines.add(at, entry.id),
    hasten(entry, now) {
      if (followEnds && isLive(entry.state)) looks.hasten(entry.id, now + LOOK_SOON);
    },
    follow(tell) {
      return looks.run(clock(), async (id) => {
        if (!entries.has(id)) return;
        await tell(id);
        const entry = entries.get(id);
        if (entry && !isUnended(entry.state)) forgetSender(entry);
      });
    },
    sweep,
    takeExpired() {
      const taken = expired;
      expired = [];
      return taken;
    },
    takeAbandoned() {
      const taken = abandoned;
      abandoned = [];
      return taken;
    },
    countPending: () => pending,
    usedBytes: () => usedBytes,
    assertOpen,
    close() {
      closed = true;
      clearInterval(timer);
      for (const entry of entries.values()) destroyContent(entry);
      entries.clear();
      deadlines.clear();
      looks.clear();
    },
  };
}
