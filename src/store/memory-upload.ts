import { copyOf } from "../envelope/bytes.ts";
import { storedDigest, storedShare } from "../envelope/tokens.ts";
import { digestBody, sameDigest } from "./digests.ts";
import { hold, progressOf } from "./held-spans.ts";
import { createMemoryBlob } from "./memory-blob.ts";
import type { Entries } from "./memory-entries.ts";
import { isLive } from "./record.ts";
import {
  assertAttachments,
  assertPiece,
  assertSize,
  assertTtl,
  type NewSecret,
  type Store,
  type StoreLimits,
  UPLOAD_LIMITS,
} from "./store.ts";

const MISSING = { kind: "missing" } as const;

/** How a secret comes into the embedded store: at once, or in pieces. */
export function createMemoryUploads(
  entries: Entries,
  { maxTtl, uploads = UPLOAD_LIMITS }: StoreLimits,
  clock: () => number,
): Pick<Store, "create" | "writeBlob" | "sealUpload"> {
  const [idle, longest] = [uploads.idle * 1000, uploads.longest * 1000];

  function keep(secret: NewSecret, body: Buffer, now: number): number {
    const { blob, size } = secret;
    const ttl = secret.ttl * 1000;
    const expiresAt = now + (blob ? ttl : Math.min(idle, longest));
    const content = createMemoryBlob(size);
    entries.add({
      id: secret.id,
      linkHash: storedDigest(secret.linkHash.slice()),
      accessHash: secret.accessHash.slice(),
      receiptHash: storedDigest(secret.receiptHash.slice()),
      share: storedShare(copyOf(secret.share)),
      blob: content,
      held: [],
      state: blob ? "sealed" : "uploading",
      passphrase: secret.passphrase,
      size,
      ttl,
      createdAt: now,
      expiresAt,
      endedAt: undefined,
      tries: 0,
      events: blob ? [{ at: now, kind: "sealed" }] : [],
      notes: [],
      rules: secret.rules,
      sender: secret.sender,
      body,
      claim: undefined,
      until: 0,
      received: false,
    });
    if (blob) content.write(0, blob);
    return expiresAt;
  }

  return {
    async create(secret) {
      assertTtl(secret.ttl, maxTtl);
      assertSize(secret);
      assertAttachments(secret);
      const now = clock();
      const body = digestBody(secret);
      const known = entries.find(secret.id, now);
      if (!known)
        return { kind: "created", existed: false, createdAt: now, expiresAt: keep(secret, body, now) };
      const { createdAt, expiresAt } = known;
      return sameDigest(known.body, body)
        ? { kind: "created", existed: true, createdAt, expiresAt }
        : { kind: "conflict" };
    },

    async writeBlob(id, offset, bytes) {
      const now = clock();
      const entry = entries.find(id, now);
      if (!entry) return MISSING;
      assertPiece(offset, bytes, entry.size);
      if (isLive(entry.state)) return { kind: "sealed", expiresAt: entry.expiresAt };
      if (entry.state !== "uploading") {
        return { kind: "ended", state: entry.state, endedAt: entry.endedAt ?? now };
      }
      const added = hold(entry.held, { start: offset, end: offset + bytes.length });
      if (!added) return { kind: "scattered" };
      for (const { start, end } of added.gaps) {
        entry.blob?.write(start, bytes.subarray(start - offset, end - offset));
      }
      entry.held = added.held;
      if (bytes.length > 0) entry.expiresAt = Math.min(now + idle, entry.createdAt + longest);
      const { received } = progressOf(entry.held, entry.size);
      return { kind: "written", received, complete: received === entry.size, expiresAt: entry.expiresAt };
    },

    async sealUpload(id) {
      const now = clock();
      const entry = entries.find(id, now);
      if (!entry) return MISSING;
      const first = entry.state === "uploading";
      if (first) {
        if (progressOf(entry.held, entry.size).received < entry.size) return { kind: "incomplete" };
        entries.seal(entry, now);
      }
      const { state, createdAt, expiresAt } = entry;
      if (isLive(state)) return { kind: "sealed", first, createdAt, expiresAt };
      if (state === "uploading") return { kind: "incomplete" };
      return { kind: "ended", state, endedAt: entry.endedAt ?? now };
    },
  };
}
