import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SealedSecret } from "../../testing/sealed-secret.ts";
import type { ServerProcess } from "../../testing/server-process.ts";
import { type Cut, type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";
import { type Client, createClient, inParallel, type Rig, STORES, type StoreName } from "./rig.ts";

const ABREAST = 8;
const CUTS: readonly Cut[] = ["FIN", "RST"];

function sendOnce(proxy: CuttingProxy, request: string, after: number, how: Cut) {
  return new Promise<{ received: string; unavailable: boolean }>((resolve) => {
    const chunks: Buffer[] = [];
    let unavailable = false;
    const socket = connect(proxy.port, "127.0.0.1", () => {
      proxy.plan(socket.localPort ?? 0, after, how, (start) => {
        unavailable = start.toString("latin1").startsWith("HTTP/1.1 503 ");
      });
      socket.write(request);
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => resolve({ received: Buffer.concat(chunks).toString(), unavailable }));
  });
}

/**
 * Sends a request over a line that is cut after so many bytes of the answer. Resolves with what came. It is
 * repeated where the answer, cut or not, was a 503 of the store: nothing was handed over then, and whoever
 * asks next is the first.
 */
async function sendOver(proxy: CuttingProxy, request: string, after: number, how: Cut): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { received, unavailable } = await sendOnce(proxy, request, after, how);
    if (!unavailable || tries === 40) return received;
    await sleep(250);
  }
}

/** One way in which a secret can be opened, as its two sides see it. */
interface Opening {
  readonly name: string;
  readonly claims: boolean;
  request(secret: SealedSecret, claim: string | undefined): string;
  /** Whether it was handed over. */
  again(secret: SealedSecret, claim: string | undefined): Promise<boolean>;
  /** Whether what came over the line has what opens the secret, or the secret itself. */
  holds(received: string, secret: SealedSecret): boolean;
}

function post(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  const all = { Host: "x", ...headers, "Content-Length": body.length, Connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

function apiOpening(client: Client, claims: boolean): Opening {
  return {
    name: claims ? "API, with a claim" : "API, without a claim",
    claims,
    request: ({ link, access }, claim) =>
      post(
        "/api/v1/secret/open",
        { Authorization: `Bearer ${link}`, "Content-Type": "application/json" },
        JSON.stringify({ access, ...(claim === undefined ? {} : { claim }) }),
      ),
    again: async (secret, claim) => (await client.open(secret, claim)) === secret.body.share,
    holds: (received, { body }) => received.includes(body.share),
  };
}

async function assistedOpening(client: Client, server: ServerProcess): Promise<Opening> {
  const answer = await fetch(`${server.url}/assisted/open`);
  const cookie = answer.headers.get("Set-Cookie")?.split(";")[0] ?? "";
  const csrf = /name="csrf" value="([^"]*)"/.exec(await answer.text())?.[1] ?? "";
  const headers = { Cookie: cookie, "Content-Type": "application/x-www-form-urlencoded" };
  const body = ({ linkFragment }: SealedSecret, claim = "") =>
    new URLSearchParams({ csrf, claim, link: linkFragment, passphrase: "" }).toString();
  return {
    name: "assisted page",
    claims: true,
    request: (secret, claim) => post("/assisted/open", headers, body(secret, claim)),
    again: async (secret, claim) =>
      (await client.send("POST", "/assisted/open", headers, body(secret, claim))).body.includes(secret.text),
    holds: (received, { text }) => received.includes(text),
  };
}

interface Outcome {
  positions: number;
  tried: number;
  /** The line broke before the answer was whole, and the same person got nothing afterwards. */
  lost: number;
  /** Somebody else got it too. */
  secondReaders: number;
  /** The line broke, and asking again helped. */
  fetchedAgain: number;
  whole: number;
}

async function cutEverywhere(
  rig: Rig,
  store: StoreName,
  client: Client,
  proxy: CuttingProxy,
  opening: Opening,
): Promise<Outcome> {
  const label = `cut, ${store}, ${opening.name}`;
  let made = 0;
  const sealed = async () => {
    made++;
    // Of one length, so that the answers are.
    const secret = await rig.seal(`${label} ${made}`, {
      text: `The text of ${label} number ${String(made).padStart(6, "0")}.`,
    });
    await client.create(secret);
    return { secret, claim: opening.claims ? rig.claim(`${label} ${made}`) : undefined };
  };
  const first = await sealed();
  const whole = await sendOver(
    proxy,
    opening.request(first.secret, first.claim),
    Number.POSITIVE_INFINITY,
    "FIN",
  );
  const length = Buffer.byteLength(whole);
  if (!opening.holds(whole, first.secret)) throw new Error(`${label} did not open: ${whole.slice(0, 300)}`);

  const outcome: Outcome = { positions: 0, tried: 0, lost: 0, secondReaders: 0, fetchedAgain: 0, whole: 0 };
  const positions: number[] = [];
  for (let after = 0; after < length; after += rig.scale.cutEvery) positions.push(after);
  positions.push(length);
  outcome.positions = positions.length;
  const cases = positions.flatMap((after) => CUTS.map((how) => ({ after, how })));
  await inParallel(cases, ABREAST, async ({ after, how }) => {
    const { secret, claim } = await sealed();
    const received = await sendOver(proxy, opening.request(secret, claim), after, how);
    const complete = Buffer.byteLength(received) >= length;
    const read = opening.holds(received, secret);
    // A stranger with the same link, before and after the one who had opened it comes again.
    const stranger = opening.claims ? rig.claim(`${label} ${made}, a stranger`) : undefined;
    const stolen = await opening.again(secret, stranger);
    const again = await opening.again(secret, claim);
    const stolenLater = await opening.again(secret, stranger);
    outcome.tried++;
    if (complete) outcome.whole++;
    else if (again) outcome.fetchedAgain++;
    else outcome.lost++;
    if (
      opening.claims ? stolen || stolenLater : [read, stolen, again, stolenLater].filter(Boolean).length > 1
    ) {
      outcome.secondReaders++;
    }
  });
  return outcome;
}

/** The connection is cut after each byte of the answer that hands a secret over. */
export async function runCut(rig: Rig): Promise<void> {
  const { report } = rig;
  const rows: (string | number)[][] = [
    ["store", "opened by", "positions", "opens", "came whole", "fetched again", "lost", "second readers"],
  ];
  for (const store of STORES) {
    await rig.withServer(store, {}, async (server) => {
      const client = createClient(server.url);
      const proxy = await startCuttingProxy(server.port);
      for (const opening of [
        apiOpening(client, true),
        apiOpening(client, false),
        await assistedOpening(client, server),
      ]) {
        const { positions, tried, lost, secondReaders, fetchedAgain, whole } = await cutEverywhere(
          rig,
          store,
          client,
          proxy,
          opening,
        );
        rows.push([store, opening.name, positions, tried, whole, fetchedAgain, lost, secondReaders]);
        report.rule(secondReaders === 0, `${store}, ${opening.name}: no second reader`);
        // Without a claim nothing can be fetched again: that is what such a client asked for.
        if (opening.claims)
          report.rule(lost === 0, `${store}, ${opening.name}: nothing lost within the window`);
      }
      await proxy.close();
      client.close();
    });
  }
  report.table(rows);
}
