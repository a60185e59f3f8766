import { encodeBase64url } from "../envelope/base64url.ts";
import type { Bytes } from "../envelope/bytes.ts";
import type { OfficeHours } from "../envelope/office-hours.ts";
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
  readonly state: "uploading" | "sealed" | "locked" | "opened" | "expired" | "deleted" | "lost";
  readonly passphrase: boolean;
  /** The blob's length in bytes. */
  readonly size: number;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly endedAt?: string;
  readonly triesLeft?: number;
}

export interface ReceiptView extends SecretView, UploadView {
  /** `reason`: of a refusal, as in a problem. */
  readonly events: readonly { readonly at: string; readonly kind: string; readonly reason?: string }[];
  readonly rules?: Rules;
}

/** Who may open a secret, and when; what is left out doesn't matter. */
export interface Rules {
  /** Addresses and CIDR ranges. */
  readonly networks?: readonly string[];
  /** ISO 3166-1 alpha-2. */
  readonly countries?: readonly string[];
  /** RFC 3339, UTC. */
  readonly notBefore?: string;
  readonly hours?: OfficeHours;
}

/** What the server is told of a secret besides what seals it. */
export interface Terms {
  /** Seconds. */
  readonly ttl: number;
  readonly rules?: Rules;
  /** Who hears what becomes of it, and what it is called then. */
  readonly notify?: { readonly email: string; readonly label?: string };
}

/** How far an upload has come. */
export interface UploadView {
  readonly state: SecretView["state"];
  /** Of the upload while it lasts, of the secret afterwards. */
  readonly expiresAt: string;
  /** Bytes that the server holds; none of these is told once the secret is sealed. */
  readonly received?: number;
  /** What it lacks, first and last byte of each range; not always all of it. */
  readonly missing?: readonly (readonly [number, number])[];
}

interface ProblemBody {
  readonly code: string;
  readonly detail?: string;
  readonly state?: SecretView["state"];
  readonly endedAt?: string;
  readonly triesLeft?: number;
  /** Of a refusal: network, country, not-yet or hours. */
  readonly reason?: string;
  readonly notBefore?: string;
  /** What of the request was wrong, member by member: "rules.networks". */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
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
/** For what goes on as long as it likes, and is watched by who reads it. */
const A_DAY = 86_400_000;
/** Where the answer can be lost: early in the server's redelivery window, so that it can be asked for again. */
const OPEN_TIMEOUT = 10_000;

interface Call {
  readonly timeout?: number;
  readonly method?: "POST" | "PUT" | "DELETE";
  readonly bearer?: string;
  readonly json?: unknown;
  readonly bytes?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
}

/** AbortSignal.any, which Safari knows only since 17.4. */
function eitherSignal(a: AbortSignal, b: AbortSignal | undefined): AbortSignal {
  if (!b) return a;
  const either = new AbortController();
  for (const signal of [a, b]) {
    if (signal.aborted) either.abort();
    signal.addEventListener("abort", () => either.abort(), { once: true, signal: either.signal });
  }
  return either.signal;
}

async function call<T>(
  path: string,
  { method, bearer, json, bytes, headers: more = {}, signal, timeout = TIMEOUT }: Call,
  read: (r: Response) => Promise<T>,
): Promise<T> {
  const headers = new Headers(more);
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  if (json !== undefined) headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(new URL(path, apiUrl), {
      method: method ?? "GET",
      headers,
      body: json === undefined ? (bytes ?? null) : JSON.stringify(json),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      signal: eitherSignal(AbortSignal.timeout(timeout), signal),
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

/** Without `blob` it begins an upload, which `writePart` goes on with. */
export function createSecret(fields: CreateFields, terms: Terms, blob?: Ciphertext): Promise<UploadView> {
  const json = { ...fields, ...terms, ...(blob ? { blob: encodeBase64url(blob) } : {}) };
  return call("secrets", { method: "POST", json, timeout: TRANSFER_TIMEOUT }, readJson);
}

/** One part of a blob of `size` bytes, beginning at byte `start`. May be sent again. */
export function writePart(
  bearer: string,
  { start, bytes }: { readonly start: number; readonly bytes: Bytes },
  size: number,
  signal: AbortSignal,
): Promise<UploadView> {
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Range": `bytes ${start}-${start + bytes.length - 1}/${size}`,
  };
  const sent = { method: "PUT", bearer, bytes, headers, signal, timeout: TRANSFER_TIMEOUT } as const;
  return call("secret/blob", sent, readJson);
}

export function readSecret(bearer: string): Promise<SecretView> {
  return call("secret", { bearer }, readJson);
}

export function readBlob(bearer: string): Promise<Bytes> {
  const read = async (response: Response) => new Uint8Array(await response.arrayBuffer());
  return call("secret/blob", { bearer, timeout: TRANSFER_TIMEOUT }, read);
}

/**
 * Bytes `start` to `end` (not included) of the ciphertext. They are given out as they arrive, because what
 * has arrived of a download that is cut short need not come again.
 */
export function readRange(
  bearer: string,
  [start, end]: readonly [number, number],
  take: (bytes: Bytes) => void,
  signal: AbortSignal,
): Promise<void> {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  return call("secret/blob", { bearer, headers, signal, timeout: TRANSFER_TIMEOUT }, async (response) => {
    // A proxy may drop the Range and let the whole come.
    let at = response.status === 206 ? start : 0;
    const reader = response.body?.getReader();
    while (reader && at < end) {
      const { done, value } = await reader.read();
      if (done) throw new ConnectionError("The download is not whole");
      const wanted = value.subarray(Math.max(0, start - at), end - at);
      if (wanted.length > 0) take(wanted);
      at += value.length;
    }
    await reader?.cancel();
  });
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

export function readReceipt(bearer: string, signal?: AbortSignal): Promise<ReceiptView> {
  return call("receipt", { bearer, signal }, readJson);
}

/**
 * The receipt's event stream, from the event after `lastEventId`, in text as it comes. Resolves when the
 * server has ended it.
 */
export function readReceiptEvents(
  bearer: string,
  lastEventId: string,
  take: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const headers = {
    Accept: "text/event-stream",
    ...(lastEventId === "" ? {} : { "Last-Event-ID": lastEventId }),
  };
  return call("receipt/events", { bearer, headers, signal, timeout: A_DAY }, async (response) => {
    if (response.status === 204) return;
    if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new ConnectionError();
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    while (reader) {
      const { done, value } = await reader.read();
      if (done) return;
      take(decoder.decode(value, { stream: true }));
    }
  });
}

export function deleteSecret(bearer: string): Promise<void> {
  return call("receipt/secret", { method: "DELETE", bearer }, readNothing);
}

export function unlockSecret(bearer: string): Promise<void> {
  return call("receipt/unlock", { method: "POST", bearer }, readNothing);
}

/** Codes after which the same request may well succeed a little later. */
const PASSING = new Set(["limited", "unavailable", "full"]);

/** Whether it makes sense to send the very same again. */
export function mayPass(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiProblem && PASSING.has(error.body.code));
}

/** Codes that the server's own words tell best. */
const SPOKEN = new Set(["limited", "full", "too-large", "refused"]);

/** One sentence for what went wrong: what happened and what to do. */
export function explain(error: unknown, otherwise: string): string {
  if (!(error instanceof ApiProblem)) return otherwise;
  const { code, detail } = error.body;
  // Anything else that is limited, such as uploads at a time, the server's own words tell.
  if (code === "limited" && (!detail || detail.startsWith("Too many tries"))) {
    const { retryAfter: wait = 60 } = error;
    return `Too many tries. Wait ${wait} ${wait === 1 ? "second" : "seconds"}.`;
  }
  if (SPOKEN.has(code)) return detail ?? otherwise;
  return otherwise;
}
