import { type SecretId, storedDigest } from "../envelope/tokens.ts";
import { parseHeldSpans } from "./held-spans.ts";
import type { Facts } from "./record.ts";
import {
  type EndState,
  type EventKind,
  type NoteKind,
  type SecretEvent,
  type SecretState,
  StoreUnavailableError,
} from "./store.ts";

/**
 * The versions of the record's format that this code reads and writes: 3 where there are rules by which
 * somebody may not open it, 2 where the ciphertext lies in blocks, and 1, unchanged, where neither is
 * so, so that versions of this program which know only that share all those secrets with this one. While an upgrade rolls out,
 * old and new replicas work on one Redis; a record in another format is not ours to touch, and is
 * answered as "unavailable, try again": a replica that knows it will be asked sooner or later.
 */
const VERSIONS: readonly (string | undefined)[] = ["1", "2", "3"];

export interface StoredRecord {
  /** Redis' clock when it was read. */
  readonly now: number;
  readonly hasBlob: boolean;
  readonly shareName: string;
  /** See `digestBody`. */
  readonly body: Buffer;
  /** Of the ciphertext's blocks, in bytes; undefined where it is one value. */
  readonly block: number | undefined;
  /** Milliseconds that an upload will live once it is sealed. */
  readonly ttl: number | undefined;
  readonly facts: Facts;
}

export function unknownVersion(): StoreUnavailableError {
  return new StoreUnavailableError({
    cause: new Error("The record has another format version: finish upgrading all replicas."),
  });
}

const ENDS: readonly EndState[] = ["opened", "expired", "deleted", "lost"];
const STATES: readonly SecretState[] = ["uploading", "sealed", "locked", ...ENDS];
const NOTES: readonly NoteKind[] = [
  "visited",
  "refused-network",
  "refused-country",
  "refused-not-yet",
  "refused-hours",
];
const EVENTS: readonly EventKind[] = [
  "sealed",
  "locked",
  ...ENDS,
  "wrong-passphrase",
  "unlocked",
  "received",
  ...NOTES,
];

function oneOf<T extends string>(kinds: readonly T[], text: string): T {
  const kind = kinds.find((known) => known === text);
  if (!kind) throw new TypeError("A record has a state or an event that does not exist.");
  return kind;
}

export const parseEndState = (text: string) => oneOf(ENDS, text);

/** Throws a TypeError where the record isn't one that our scripts wrote. */
export function parseRecord(id: SecretId, reply: readonly (Buffer | number)[]): StoredRecord {
  const [now, hasBlob, ...pairs] = reply;
  const fields = new Map<string, Buffer>();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const value = pairs[at + 1];
    if (Buffer.isBuffer(value)) fields.set(String(pairs[at]), value);
  }
  if (!VERSIONS.includes(fields.get("v")?.toString())) throw unknownVersion();

  function bytes(name: string): Buffer {
    const value = fields.get(name);
    if (!value) throw new TypeError(`A record has no field ${name}.`);
    return value;
  }
  function integer(name: string): number {
    const value = Number(bytes(name).toString());
    if (!Number.isSafeInteger(value)) throw new TypeError(`A record's field ${name} is not an integer.`);
    return value;
  }
  function events(text: string): SecretEvent[] {
    // An upload has none, so what comes first when it ends begins with the comma.
    const items = text.split(",").filter(Boolean);
    return items.map((item) => {
      const [at = "", kind = ""] = item.split(":");
      return { at: Number(at), kind: oneOf(EVENTS, kind) };
    });
  }

  return {
    now: Number(now),
    hasBlob: hasBlob === 1,
    shareName: bytes("share").toString(),
    body: bytes("body"),
    block: fields.has("block") ? integer("block") : undefined,
    ttl: fields.has("ttl") ? integer("ttl") : undefined,
    facts: {
      id,
      linkHash: storedDigest(new Uint8Array(bytes("link"))),
      receiptHash: storedDigest(new Uint8Array(bytes("receipt"))),
      state: oneOf(STATES, bytes("state").toString()),
      passphrase: bytes("passphrase").toString() === "1",
      size: integer("size"),
      createdAt: integer("created"),
      expiresAt: integer("expires"),
      endedAt: fields.has("ended") ? integer("ended") : undefined,
      tries: integer("tries"),
      events: events(bytes("events").toString()),
      notes: events(fields.get("notes")?.toString() ?? ""),
      rules: fields.get("rules")?.toString(),
      sender: fields.get("sender")?.toString(),
      held: parseHeldSpans(fields.get("held")?.toString() ?? ""),
    },
  };
}
