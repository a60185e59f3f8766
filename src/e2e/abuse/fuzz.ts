import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SealedSecret } from "../../testing/sealed-secret.ts";
import type { ServerProcess } from "../../testing/server-process.ts";
import { CORPUS } from "./corpus.ts";
import { draw, guess, type Material } from "./grammar.ts";
import { breakFraming, mutate } from "./mutations.ts";
import { createRandom, type Random } from "./random.ts";
import { parseAnswers, type RawAnswer } from "./raw-http.ts";
import { createClient, inParallel, isReady, type Rig, residentOf, STORES, type StoreName } from "./rig.ts";

/** Requests over one connection: so many that keep its framing, and one that does not. */
const PER_CONNECTION = 24;
const CONNECTIONS = 24;
/** Milliseconds without a byte after which the server is taken to wait for more of the last request. */
const QUIET = 200;
/** Milliseconds without a byte, with our side closed: an answer that never comes. */
const HOPELESS = 30_000;

/**
 * Answers of Node's own parser, before there is a request that Express could see. They have no body.
 * 400: not HTTP; 408: too slow; 413: chunk extensions without end; 417: an expectation other than
 * 100-continue; 431: too large a head.
 */
const FROM_THE_PARSER = new Set([400, 408, 413, 417, 431]);

/** On every answer of ours, whatever it says. */
const OUR_HEADERS = {
  "content-security-policy": /^default-src 'none';/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^no-referrer$/,
  "cache-control": /^(no-store|public, max-age=31536000, immutable)$/,
  "permissions-policy": /camera=\(\)/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "x-robots-tag": /^noindex/,
  "x-request-id": /^[0-9a-f-]{36}$/,
} as const;

/** Of a store that was silent for longer than the program's patience. */
const STORE_SILENT = "a 503 of the store";
/** Milliseconds after which such an answer says to come again. */
const RETRY_AFTER = 2000;

/** What is wrong with an answer, or undefined. `wordless`: to HEAD, or cut off after its head. */
export function faultOf({ status, headers, body }: RawAnswer, wordless: boolean): string | undefined {
  const ours = headers.has("x-request-id");
  if (!ours) {
    if (FROM_THE_PARSER.has(status) && body.length === 0) return undefined;
    return `${status} without our headers`;
  }
  for (const [name, expected] of Object.entries(OUR_HEADERS)) {
    if (!expected.test(headers.get(name) ?? "")) return `${status} with ${name}: ${headers.get(name)}`;
  }
  if (status < 500) return undefined;
  // Argon2id runs one at a time with a short queue; more than that are told to come again.
  const text = body.toString();
  if (status === 503 && text.includes("Too many passphrases are being checked")) return undefined;
  const silent = (wordless && text === "") || text.includes("The store does not answer");
  if (status === 503 && silent) return STORE_SILENT;
  return `an unexpected ${status}`;
}

interface Tally {
  readonly statuses: Map<string, number>;
  readonly faults: Map<string, string>;
  /** A Redis may, on a busy machine: then all is sent once more, and is a fault where it is there again. */
  readonly mayBeSilent: boolean;
  sentAgain: number;
  sent: number;
  answered: number;
}

/** Sends the requests over one connection and judges all that comes back. */
async function exchange(
  server: ServerProcess,
  requests: readonly string[],
  tally: Tally,
  first = tally.mayBeSilent,
): Promise<void> {
  const bytes = Buffer.from(requests.join(""), "latin1");
  const heads = bytes.includes("HEAD ");
  const note = (text: string) => {
    if (!tally.faults.has(text)) tally.faults.set(text, bytes.toString("base64"));
  };
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  const answers: RawAnswer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let fault: string | undefined;
  let quiet = 0;
  let finished = false;
  function finish(): void {
    if (finished) return;
    finished = true;
    socket.write(requests.at(-1) ?? "", "latin1");
  }
  function take(more: Buffer, ended: boolean): void {
    rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
    quiet = 0;
    if (fault !== undefined) return;
    const parsed = parseAnswers(rest, heads, ended);
    answers.push(...parsed.answers.filter(({ status }) => status >= 200));
    rest = rest.subarray(parsed.length);
    fault = parsed.fault;
    if (!ended && answers.length + (rest.length > 0 ? 1 : 0) >= requests.length - 1) finish();
  }
  let closing = false;
  socket.setTimeout(QUIET).on("timeout", () => {
    quiet += QUIET;
    const seen = answers.length + parseAnswers(rest, heads, true).answers.length;
    // Only the last is not answered: the server waits for more of it.
    if (!finished && seen >= requests.length - 1) finish();
    else if (!closing && finished) {
      closing = true;
      socket.end();
    } else if (quiet > HOPELESS) {
      note(`no answer after ${seen} of ${requests.length}`);
      socket.destroy();
    }
    socket.setTimeout(QUIET);
  });
  socket.on("data", (chunk: Buffer) => take(chunk, false));
  socket.on("error", () => {}); // "close" follows
  socket.on("end", () => socket.end());
  // Nonsense makes Node drop what it has not answered yet, so it comes last and alone.
  socket.write(requests.slice(0, -1).join(""), "latin1");
  if (requests.length === 1) finish();
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  // What a HEAD request got can be told apart only now.
  take(Buffer.alloc(0), true);

  tally.sent += requests.length;
  if (fault !== undefined) note(fault);
  let silent = false;
  for (const answer of answers) {
    tally.answered++;
    const key = `${answer.status}${answer.headers.has("x-request-id") ? "" : " by the parser"}`;
    tally.statuses.set(key, (tally.statuses.get(key) ?? 0) + 1);
    // One to HEAD still says how long its words would be.
    const wrong = faultOf(answer, heads && answer.headers.get("content-length") !== "0");
    if (first && wrong === STORE_SILENT) silent = true;
    else if (wrong !== undefined) note(wrong);
  }
  if (!silent) return;
  tally.sentAgain++;
  await sleep(RETRY_AFTER);
  await exchange(server, requests, tally, false);
}

function drawFollower(random: Random, { spare }: Material): string[] {
  return [
    "GET /api/v1/receipt/events HTTP/1.1\r\nHost: x",
    `Authorization: Bearer ${random.pick(spare).receipt}`,
    `Last-Event-ID: ${random.bytes(random.below(200)).toString("base64url")}`,
  ];
}

/** Follows a receipt as its holder may, and hangs up at the first byte of the answer. */
async function follow(
  server: ServerProcess,
  lines: readonly string[],
  tally: Tally,
  first = tally.mayBeSilent,
): Promise<void> {
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  let head = "";
  socket.on("data", (chunk: Buffer) => {
    head += chunk.toString("latin1");
    if (head.includes("\r\n\r\n")) socket.destroy();
  });
  socket.on("error", () => {}); // "close" follows
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  tally.sent++;
  // Of what would go on, only the head is judged.
  const cut = head.slice(0, head.indexOf("\r\n\r\n") + 4);
  const whole = cut.replace(
    /\r\n(Transfer-Encoding: chunked|Content-Length: \d+)\r\n/i,
    "\r\nContent-Length: 0\r\n",
  );
  const { answers, fault = answers.length === 1 ? undefined : "no answer to who follows a receipt" } =
    parseAnswers(Buffer.from(whole, "latin1"), false, true);
  for (const { status } of answers) {
    tally.answered++;
    const key = `${status} to who follows`;
    tally.statuses.set(key, (tally.statuses.get(key) ?? 0) + 1);
  }
  const wrong = fault ?? answers.map((answer) => faultOf(answer, true)).find((each) => each !== undefined);
  if (first && wrong === STORE_SILENT) {
    tally.sentAgain++;
    await sleep(RETRY_AFTER);
    await follow(server, lines, tally, false);
  } else if (wrong !== undefined && !tally.faults.has(wrong)) {
    tally.faults.set(wrong, Buffer.from(lines.join("\n")).toString("base64"));
  }
}

function makeBatch(random: Random, material: Material): string[] {
  const batch = Array.from({ length: PER_CONNECTION }, () => {
    const draft = draw(random, material);
    return mutate(random, draft);
  });
  return [...batch, breakFraming(random, draw(random, material))];
}

async function readForm(url: string): Promise<Material["form"]> {
  const answer = await fetch(`${url}/assisted`);
  return {
    cookie: answer.headers.get("Set-Cookie")?.split(";")[0] ?? "",
    csrf: /name="csrf" value="([^"]*)"/.exec(await answer.text())?.[1] ?? "",
  };
}

async function prepare(rig: Rig, store: StoreName, server: ServerProcess): Promise<Material> {
  const client = createClient(server.url);
  const make = async (name: string, count: number) => {
    const made: SealedSecret[] = [];
    for (let i = 0; i < count; i++) {
      const passphrase = i % 3 === 0 ? "told by telephone" : "";
      made.push(
        await rig.seal(`fuzz, ${store}, ${name} ${i}`, { passphrase, text: `the ${name} text ${i}` }),
      );
    }
    await inParallel(made, 16, client.create);
    return made;
  };
  const page = await (await fetch(`${server.url}/`)).text();
  const material = {
    guarded: await make("guarded", rig.scale.sealed),
    spare: await make("spare", Math.min(200, rig.scale.sealed)),
    assets: [...page.matchAll(/assets\/([^"]+)"/g)].map(([, file = ""]) => file),
    form: await readForm(server.url),
    origin: server.url,
  };
  client.close();
  return material;
}

/** How many of the secrets can't be opened any more by those who have the whole link. */
async function countUsedUp(
  rig: Rig,
  server: ServerProcess,
  secrets: readonly SealedSecret[],
): Promise<number> {
  const client = createClient(server.url);
  let usedUp = 0;
  await inParallel(secrets, 16, async (secret) => {
    if ((await client.open(secret, rig.claim("guarded"))) !== secret.body.share) usedUp++;
  });
  client.close();
  return usedUp;
}

async function fuzz(rig: Rig, store: StoreName, server: ServerProcess): Promise<void> {
  const { report, scale } = rig;
  const random = createRandom(rig.seed + STORES.indexOf(store));
  const material = await prepare(rig, store, server);
  const tally: Tally = {
    statuses: new Map(),
    faults: new Map(),
    mayBeSilent: store === "Redis",
    sent: 0,
    sentAgain: 0,
    answered: 0,
  };
  for (const { request } of CORPUS) {
    const { link = "", receipt = "" } = material.spare[0] ?? {};
    await exchange(server, [request.replace("{link}", link).replace("{receipt}", receipt)], tally);
  }

  const target = scale.malformed[store];
  const curve: [string, string][] = [["answered", "resident MiB"]];
  const rest: number[] = [];
  let busy = 0;
  for (let tenth = 1; tenth <= 10; tenth++) {
    const started = performance.now();
    await inParallel(batchesUntil(tally, (target * tenth) / 10), CONNECTIONS, async () => {
      // Somebody with an id, but no proof, tries to open what must stay sealed.
      const guarded = random.pick(material.guarded);
      const body = JSON.stringify({ access: guarded.access });
      const head = `POST /api/v1/secret/open HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${guess(random, guarded)}`;
      const open = `${head}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      await exchange(server, [open, ...makeBatch(random, material)], tally);
      await follow(server, drawFollower(random, material), tally);
    });
    busy += performance.now() - started;
    const level = residentOf(server);
    if (tenth === 1 || tenth === 10) {
      await sleep(scale.idle * 1000);
      rest.push(residentOf(server));
    }
    const after =
      tenth === 1 || tenth === 10 ? ` (${rest.at(-1)?.toFixed(0)} after ${scale.idle} s idle)` : "";
    curve.push([String(tally.answered), `${level.toFixed(0)}${after}`]);
  }

  const rate = Math.round((tally.answered * 1000) / busy);
  report.line(`${store}: ${tally.sent} requests sent, ${tally.answered} answered, ${rate} a second`);
  const statuses = [...tally.statuses].sort(([a], [b]) => a.localeCompare(b));
  report.line(`  ${statuses.map(([status, count]) => `${status}: ${count}`).join(", ")}`);
  if (tally.sentAgain > 0) report.line(`  ${tally.sentAgain} times all was sent again to a silent store`);
  report.table(curve);
  for (const [fault, request] of tally.faults)
    report.line(`  ${fault}: first met with ${request.slice(0, 12_000)}`);
  const unwell = !(await isReady(server));
  report.rule(!unwell, `${store}: the same process is ready at the end`);
  const unforeseen = server.output().includes("unexpected error");
  report.rule(!unforeseen, `${store}: nothing unforeseen in the log`);
  report.rule(
    tally.faults.size === 0,
    `${store}: every answer well formed, with our headers, and no unexpected 5xx`,
  );
  const [first = 0, last = 0] = rest;
  report.rule(
    last < first + scale.growth,
    `${store}: memory flat (${first.toFixed(0)} to ${last.toFixed(0)} MiB)`,
  );
  const usedUp = unwell ? material.guarded.length : await countUsedUp(rig, server, material.guarded);
  report.rule(usedUp === 0, `${store}: ${usedUp} of ${material.guarded.length} guarded secrets used up`);
}

function* batchesUntil(tally: Tally, answered: number) {
  while (tally.answered < answered) yield undefined;
}

/** At least a million malformed requests, over every route and header. */
export async function runFuzz(rig: Rig): Promise<void> {
  for (const store of STORES) {
    // What it creates must be gone soon, or memory would tell of that.
    const env = { RETENTION: "60s", TRUST_PROXY: "loopback" };
    await rig.withServer(store, env, (server) => fuzz(rig, store, server));
  }
}
