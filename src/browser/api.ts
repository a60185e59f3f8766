import { encodeBase64url } from "../envelope/base64url.ts";
import type { CreateFields } from "../envelope/sender.ts";
import {
  type AccessProof,
  type Ciphertext,
  type ClaimToken,
  parseShare,
  type Share,
} from "../envelope/tokens.ts";

/** What the server says of a secret. */
export interface SecretView {
  readonly state: "sealed" | "locked" | "opened" | "expired" | "deleted" | "lost";
  readonly passphrase: boolean;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly endedAt?: string;
  readonly triesLeft?: number;
}

export interface ReceiptView extends SecretView {
  readonly events: readonly { readonly at: string; readonly kind: string }[];
}

interface ProblemBody {
  readonly code: string;
  readonly detail?: string;
  readonly state?: SecretView["state"];
  readonly endedAt?: string;
  readonly triesLeft?: number;
}

/** The server refused, and said why (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly body: ProblemBody;
  /** Seconds to wait, where the server said so. */
  readonly retryAfter: number | undefined;
  constructor(body: ProblemBody, retryAfter: number | undefined) {
    super(body.code);
    this.body = body;
    this.retryAfter = retryAfter;
  }
}

/** No answer came: offline, a reset connection, a proxy's error page, or a time-out. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** Scripts are served from `<base>/assets/`, so this holds under any base path. */
const apiUrl = new URL("../api/v1/", import.meta.url);
/** Milliseconds until a request is given up. */
const TIMEOUT = 30_000;
/** Where a whole secret goes over the line: longer than the server itself gives a slow sender. */
const TRANSFER_TIMEOUT = 90_000;
/** Where the answer can be lost: early in the server's redelivery window, so that it can be asked for again. */
const OPEN_TIMEOUT = 10_000;

interface Call {
  readonly timeout?: number;
  readonly method?: "POST" | "DELETE";
  readonly bearer?: string;
  readonly json?: unknown;
}

async function call<T>(
  path: string,
  { method, bearer, json, timeout = TIMEOUT }: Call,
  read: (r: Response) => Promise<T>,
): Promise<T> {
  const headers = new Headers();
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  if (json !== undefined) headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(new URL(path, apiUrl), {
      method: method ?? "GET",
      headers,
      body: json === undefined ? null : JSON.stringify(json),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    if (response.ok) return await read(response);
    if (!response.headers.get("Content-Type")?.startsWith("application/problem+json"))
      throw new ConnectionError();
    const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
    throw new ApiProblem(await response.json(), retryAfter);
  } catch (error) {
    throw error instanceof ApiProblem ? error : new ConnectionError("No answer", { cause: error });
  }
}

const readJson = (response: Response) => response.json();
const readNothing = async () => undefined;

export function createSecret(
  fields: CreateFields,
  ttl: number,
  blob: Ciphertext,
): Promise<{ expiresAt: string }> {
  const json = { ...fields, ttl, blob: encodeBase64url(blob) };
  return call("secrets", { method: "POST", json, timeout: TRANSFER_TIMEOUT }, readJson);
}

export function readSecret(bearer: string): Promise<SecretView> {
  return call("secret", { bearer }, readJson);
}

export function readBlob(bearer: string): Promise<Uint8Array> {
  const read = async (response: Response) => new Uint8Array(await response.arrayBuffer());
  return call("secret/blob", { bearer, timeout: TRANSFER_TIMEOUT }, read);
}

export async function openSecret(bearer: string, access: AccessProof, claim: ClaimToken): Promise<Share> {
  const json = { access: encodeBase64url(access), claim: encodeBase64url(claim) };
  const asked = { method: "POST", bearer, json, timeout: OPEN_TIMEOUT } as const;
  const { share } = await call("secret/open", asked, readJson);
  const parsed = parseShare(share);
  if (!parsed) throw new ConnectionError("The answer isn't ours");
  return parsed;
}

export function acknowledge(bearer: string, claim: ClaimToken): Promise<void> {
  return call("secret/ack", { method: "POST", bearer, json: { claim: encodeBase64url(claim) } }, readNothing);
}

export function readReceipt(bearer: string): Promise<ReceiptView> {
  return call("receipt", { bearer }, readJson);
}

export function deleteSecret(bearer: string): Promise<void> {
  return call("receipt/secret", { method: "DELETE", bearer }, readNothing);
}

export function unlockSecret(bearer: string): Promise<void> {
  return call("receipt/unlock", { method: "POST", bearer }, readNothing);
}

/** One sentence for what went wrong: what happened and what to do. */
export function explain(error: unknown, otherwise: string): string {
  if (!(error instanceof ApiProblem)) return otherwise;
  const { code, detail } = error.body;
  if (code === "limited") return `Too many tries. Wait ${error.retryAfter ?? 60} seconds.`;
  if (code === "full" || code === "too-large") return detail ?? otherwise;
  return otherwise;
}
