/** A sender and a recipient of secrets that fit into no memory, over HTTP as the protocol describes it. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeBase64url } from "../envelope/base64url.ts";
import { deriveLinkKeys } from "../envelope/keys.ts";
import { parseFragment } from "../envelope/link.ts";
import type { Part, PartDescription } from "../envelope/parts.ts";
import { prepareSecret } from "../envelope/sender.ts";
import { cheapHash } from "../envelope/testing.ts";
import { createClaim, formatLinkBearer, formatReceiptBearer, parseShare } from "../envelope/tokens.ts";
import { unseal } from "../envelope/unseal.ts";
import { ask } from "./every-flow.ts";

const PIECE = 1 << 20;
/** Milliseconds for which a small request is repeated. Less than the runner gives to a file of tests. */
const LONGEST = 60_000;

/** A file whose bytes are made as they are read, no two of its megabytes alike, with their hash so far. */
export function generatedFile(name: string, size: number): { part: Part; sha256: () => string } {
  const hash = createHash("sha256");
  async function* content() {
    const piece = new Uint8Array(PIECE).map((_, i) => (7 * i + (i >> 8)) & 255);
    const view = new DataView(piece.buffer);
    for (let at = 0; at < size; at += PIECE) {
      view.setFloat64(0, at + 1);
      const bytes = piece.slice(0, Math.min(PIECE, size - at));
      hash.update(bytes);
      yield bytes;
    }
  }
  return {
    part: { kind: "file", name, type: "application/octet-stream", size, content: content() },
    sha256: () => hash.digest("hex"),
  };
}

export interface TransferOptions {
  /** Bytes in one request. */
  readonly partBytes?: number;
  /** Told of every failed request but a 503, which is repeated; a client without patience throws here. */
  readonly onFault?: (error: unknown) => void;
}

const giveUp = (error: unknown): never => {
  throw error;
};

interface Progress {
  readonly state: string;
  readonly missing?: readonly (readonly [number, number])[];
}

async function readJson<T>(answer: Response, status: number): Promise<T> {
  const text = await answer.text();
  if (answer.status !== status) {
    throw new Error(`${answer.status} instead of ${status}: ${text}`, { cause: answer.status });
  }
  return JSON.parse(text) as T;
}

export interface SentSecret {
  readonly linkFragment: string;
  /** `wsr_…` */
  readonly receipt: string;
  /** The blob's length in bytes. */
  readonly size: number;
}

/** Seals as it sends, holding one part at a time; asks after each failure what has arrived of it. */
export async function sendLarge(
  url: string,
  parts: readonly Part[],
  { partBytes = 8 * PIECE, onFault = giveUp }: TransferOptions = {},
): Promise<SentSecret> {
  const prepared = await prepareSecret(parts, "", cheapHash);
  const { id, size } = prepared.fields;
  const receipt = formatReceiptBearer(id, prepared.receiptToken);
  const headers = { Authorization: `Bearer ${receipt}` };
  const announced = await ask(`${url}/api/v1/secrets`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...prepared.fields, ttl: 3600 }),
  });
  await readJson(announced, 201);

  async function put(part: Uint8Array, start: number): Promise<string> {
    const end = start + part.length;
    for (let from = start; ; ) {
      try {
        const answer = await ask(`${url}/api/v1/secret/blob`, {
          method: "PUT",
          headers: {
            ...headers,
            "Content-Type": "application/octet-stream",
            "Content-Range": `bytes ${from}-${end - 1}/${size}`,
          },
          body: Buffer.from(part.subarray(from - start)),
        });
        return (await readJson<Progress>(answer, 200)).state;
      } catch (error) {
        onFault(error);
        const progress = await insist(
          async () => readJson<Progress>(await ask(`${url}/api/v1/receipt`, { headers }), 200),
          onFault,
        );
        const missing = progress.missing?.[0]?.[0] ?? end;
        if (missing >= end) return progress.state;
        from = missing;
      }
    }
  }

  let buffer = new Uint8Array(Math.min(partBytes, size));
  let filled = 0;
  let start = 0;
  let state = "uploading";
  for await (const piece of prepared.sealing.pieces) {
    for (let rest: Uint8Array = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, buffer.length - filled);
      buffer.set(taken, filled);
      filled += taken.length;
      rest = rest.subarray(taken.length);
      if (filled < buffer.length) continue;
      state = await put(buffer, start);
      start += filled;
      filled = 0;
      if (start < size) buffer = new Uint8Array(Math.min(partBytes, size - start));
    }
  }
  if (state !== "sealed") throw new Error(`After its last byte it is ${state}.`);
  return { linkFragment: prepared.linkFragment, receipt, size };
}

/** A cut line, which `fetch` tells of by a TypeError, or a store that does not answer. */
const passes = (error: unknown) =>
  error instanceof TypeError || (error instanceof Error && error.cause === 503);

async function insist<T>(act: () => Promise<T>, onFault: (error: unknown) => void): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await act();
    } catch (error) {
      onFault(error);
      if (!passes(error) || performance.now() - begun > LONGEST) throw error;
      await sleep(50);
    }
  }
}

export interface ReceivedPart extends PartDescription {
  readonly sha256: string;
}

/**
 * Takes the share and unseals what comes in, going on after each failure where it stopped. It needs a
 * server whose redelivery window is longer than the download takes: a page downloads first.
 */
export async function receiveLarge(
  url: string,
  linkFragment: string,
  { onFault = giveUp }: TransferOptions = {},
): Promise<ReceivedPart[]> {
  const keys = await deriveLinkKeys(await parseFragment(linkFragment));
  const access = await keys.unlock(undefined, cheapHash);
  const headers = { Authorization: `Bearer ${formatLinkBearer(keys.id, keys.linkProof)}` };
  const claim = encodeBase64url(createClaim());
  const body = JSON.stringify({ access: encodeBase64url(access.accessProof), claim });
  const json = { ...headers, "Content-Type": "application/json" };
  const opened = await ask(`${url}/api/v1/secret/open`, { method: "POST", headers: json, body });
  const share = parseShare((await readJson<{ share: string }>(opened, 200)).share);
  if (!share) throw new Error("That is no share.");

  async function* download(): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0, size = Number.POSITIVE_INFINITY; at < size; ) {
      try {
        const answer = await ask(`${url}/api/v1/secret/blob`, {
          headers: { ...headers, Range: `bytes=${at}-` },
        });
        if (answer.status !== 206) throw new Error(`${answer.status} for the blob: ${await answer.text()}`);
        size = Number(answer.headers.get("Content-Range")?.split("/")[1]);
        for await (const piece of answer.body ?? []) {
          at += piece.length;
          yield piece;
        }
      } catch (error) {
        onFault(error);
      }
    }
  }

  let described: readonly PartDescription[] = [];
  const hashes: ReturnType<typeof createHash>[] = [];
  for await (const piece of unseal(access, share, download())) {
    if (piece.kind === "data") hashes[piece.part]?.update(piece.bytes);
    else {
      described = piece.parts;
      for (const _ of described) hashes.push(createHash("sha256"));
    }
  }
  await insist(async () => {
    const received = { method: "POST", headers: json, body: JSON.stringify({ claim }) };
    const answer = await ask(`${url}/api/v1/secret/ack`, received);
    const { status } = answer;
    if (status !== 204) {
      throw new Error(`${status} for the claim: ${await answer.text()}`, { cause: status });
    }
  }, onFault);
  return described.map((part, i) => ({ ...part, sha256: hashes[i]?.digest("hex") ?? "" }));
}
