import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Request } from "express";
import { wipe } from "../envelope/bytes.ts";
import {
  type Digest,
  hashLinkProof,
  hashReceiptToken,
  parseLinkBearer,
  parseReceiptBearer,
  type SecretId,
} from "../envelope/tokens.ts";
import type { SecretRecord, Store } from "../store/store.ts";
import type { Audit } from "./audit.ts";
import { notFound, Problem } from "./problem.ts";

/** Somebody who says that a secret is theirs; nothing is proven yet. */
export interface Claimant {
  readonly id: SecretId;
  /** Of the proof that was sent. */
  readonly digest: Digest;
  readonly role: "link" | "receipt";
}

type Receipt = NonNullable<ReturnType<typeof parseReceiptBearer>>;

/** What is compared with where there is no such secret, so that a miss takes the same steps. */
const NOBODY = randomBytes(32);

/** The token of an Authorization header (RFC 6750, section 2.1); the scheme's case does not matter. */
function tokenOf(req: Request): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{1,128})$/i.exec(req.get("Authorization") ?? "")?.[1];
}

function unauthorized(prefix: string): Problem {
  return new Problem("unauthorized", `Send a token that starts with ${prefix} as Authorization: Bearer.`, {
    headers: { "WWW-Authenticate": 'Bearer realm="waxseal"' },
  });
}

/** Who holds a link, or a 401 where the header is not even the shape of that. */
export async function parseLinkHolder(req: Request): Promise<Claimant> {
  const bearer = parseLinkBearer(tokenOf(req) ?? "");
  if (!bearer) throw unauthorized("wsl_");
  const digest = await hashLinkProof(bearer.proof);
  wipe(bearer.proof);
  return { id: bearer.id, digest, role: "link" };
}

/** Who holds a receipt, or a 401 where the header is not even the shape of that. */
export async function parseReceiptHolder(req: Request): Promise<Claimant> {
  const bearer = parseReceiptBearer(tokenOf(req) ?? "");
  if (!bearer) throw unauthorized("wsr_");
  return receiptHolder(bearer);
}

/** Who sent this receipt, however it came. Overwrites its token. */
export async function receiptHolder({ id, proof }: Receipt): Promise<Claimant> {
  const digest = await hashReceiptToken(proof);
  wipe(proof);
  return { id, digest, role: "receipt" };
}

export type Authenticate = (claimant: Claimant) => Promise<SecretRecord>;

/**
 * Milliseconds from the question to a no. A store may look longer at what it has than at what it
 * has not (measured on Redis: 0.12 ms), and over many tries that could be told apart.
 */
const TIME_TO_NO = 20;

/** Starts before the answer is known, so that nothing about the answer is in when it ends. */
function startTimer(milliseconds: number) {
  let handle: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, milliseconds);
  });
  return { over, cancel: () => clearTimeout(handle) };
}

/**
 * The secret's record for whoever has the right proof; for everyone else the one 404. An id that
 * does not exist and a proof that is wrong pass through the same lines, one read and one comparison
 * of digests each, and are told at the same moment, so neither words nor time tell which it was.
 */
export function createAuthenticate(store: Pick<Store, "read">, audit: Audit): Authenticate {
  return async ({ id, digest, role }) => {
    const timer = startTimer(TIME_TO_NO);
    try {
      const record = await store.read(id);
      const expected = role === "link" ? record?.linkHash : record?.receiptHash;
      const equal = timingSafeEqual(digest, expected ?? NOBODY);
      // A link is given out when its secret is whole; before, there is nothing for it to open.
      const hidden = role === "link" && record?.state === "uploading";
      if (record && equal && !hidden) return record;
      audit("denied", id, "not-found");
      await timer.over;
      throw notFound();
    } finally {
      timer.cancel();
    }
  };
}
