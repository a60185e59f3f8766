import type { Ended, EndState, EventKind, SecretRecord, UploadProgress } from "../store/store.ts";
import { Problem } from "./problem.ts";

/** RFC 3339, UTC. */
export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Of an upload's gaps, so many are told: who fills these may ask again. */
const TOLD_GAPS = 16;

/** How far an upload has come; both ends of a gap are included, as in Content-Range. */
export function describeUpload({ received, missing }: UploadProgress) {
  return {
    received,
    missing: missing.slice(0, TOLD_GAPS).map(({ start, end }) => [start, end - 1] as const),
  };
}

/** What anybody who holds the link or the receipt may know. */
export function describeSecret(record: SecretRecord) {
  const { state, passphrase, size, createdAt, expiresAt, endedAt, triesLeft, upload } = record;
  return {
    state,
    passphrase,
    size,
    createdAt: formatTime(createdAt),
    expiresAt: formatTime(expiresAt),
    ...(endedAt === undefined ? {} : { endedAt: formatTime(endedAt) }),
    ...(passphrase && endedAt === undefined && !upload ? { triesLeft } : {}),
    ...(upload ? describeUpload(upload) : {}),
  };
}

function describeEvent(kind: EventKind): { kind: string; reason?: string } {
  if (!kind.startsWith("refused-")) return { kind };
  return { kind: "refused", reason: kind.slice("refused-".length) };
}

/** What the sender may know besides. */
export function describeReceipt(record: SecretRecord) {
  const events = record.events.map(({ at, kind }) => ({ at: formatTime(at), ...describeEvent(kind) }));
  const rules = record.rules === undefined ? {} : { rules: JSON.parse(record.rules) };
  return { ...describeSecret(record), ...rules, events };
}

const ENDINGS: Readonly<Record<EndState, string>> = {
  opened: "This secret was opened and is deleted. If that was not you, tell the sender.",
  expired: "This secret ran out before anybody opened it. Ask the sender for a new one.",
  deleted: "The sender deleted this secret.",
  lost: "The store lost this secret before anybody opened it. Ask the sender for a new one.",
};

export function ended({ state, endedAt }: Pick<Ended, "state" | "endedAt">): Problem {
  return new Problem("ended", ENDINGS[state], { members: { state, endedAt: formatTime(endedAt) } });
}

/** Undefined while the secret can still be opened or unlocked. */
export function endOf({ state, endedAt }: SecretRecord): Pick<Ended, "state" | "endedAt"> | undefined {
  if (state === "uploading" || state === "sealed" || state === "locked") return undefined;
  if (endedAt === undefined) return undefined;
  return { state, endedAt };
}
