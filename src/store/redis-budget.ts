import type { Cluster, Redis } from "ioredis";
import type { SecretId } from "../envelope/tokens.ts";
import type { Admission } from "./redis-admission.ts";
import { ask } from "./redis-faults.ts";
import { UPLOAD_SIZES_KEY, UPLOADS_KEY } from "./redis-keys.ts";
import { type UploadLimits, UploadsFullError } from "./store.ts";

interface BudgetParts {
  readonly client: Redis | Cluster;
  readonly admission: Admission;
  readonly uploads: UploadLimits;
}

/**
 * An upload is counted by the create that began it, not by its id alone: so of two creates of one id,
 * the one that is refused takes back its own and never the other's.
 */
const nameOf = (id: SecretId, shareName: string) => `${id} ${shareName}`;

export function parseUpload(name: string): { id: SecretId; shareName: string } {
  const [id = "", shareName = ""] = name.split(" ");
  return { id: id as SecretId, shareName };
}

/** No more than half of what Redis may hold, so that there is always room for what is whole. */
async function roomForUploads({ admission, uploads }: BudgetParts): Promise<number> {
  const nodes = (await admission.memory()).filter(({ place }) => place === "redis");
  const budget = nodes.reduce((sum, node) => sum + (node.budget ?? Number.POSITIVE_INFINITY), 0);
  return Math.floor(Math.min(uploads.maxBytes, budget / 2));
}

/** Throws `UploadsFullError` where all unfinished uploads together would declare too much. */
export async function reserveUpload(
  parts: BudgetParts,
  id: SecretId,
  shareName: string,
  size: number,
): Promise<void> {
  const { client, uploads } = parts;
  const room = await roomForUploads(parts);
  const [reserved] = await ask(
    client.waxsealReserveUploadBuffer(
      UPLOADS_KEY,
      UPLOAD_SIZES_KEY,
      nameOf(id, shareName),
      size,
      uploads.idle * 1000,
      room,
    ),
  );
  if (reserved !== 1) throw new UploadsFullError();
}

/** Of one that isn't counted this is nothing. What is not released, the sweep finds at its time. */
export async function releaseUpload(
  { client }: Pick<BudgetParts, "client">,
  id: SecretId,
  shareName: string,
): Promise<void> {
  await ask(client.waxsealReleaseUploadBuffer(UPLOADS_KEY, UPLOAD_SIZES_KEY, nameOf(id, shareName)));
}
