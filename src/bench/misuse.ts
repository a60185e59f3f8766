/**
 * What people without the passphrase, or without the link, can use up: prints how many requests were
 * made, how each was answered, and how many secrets were used up by them (none may be).
 *
 *   npm run bench:misuse [-- SECRETS TRIES]
 *
 * Defaults to 1,000 secrets: ten wrong passphrases each, and ten requests each with an id but no proof.
 */
import { decodeBase64url, encodeBase64url } from "../envelope/base64url.ts";
import { randomBytes } from "../envelope/bytes.ts";
import { startRedis } from "../testing/redis-server.ts";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";

const [secretCount = 1_000, tries = 10] = process.argv.slice(2).map(Number);
/** Requests under way at once. */
const CONCURRENCY = 64;
const LIMITS = {
  RATE_LIMIT_CREATE: "1000000/1m",
  RATE_LIMIT_OPEN: "1000000/1m",
  RATE_LIMIT_MISS: "1000000/1m",
};

const print = (line: string) => process.stdout.write(`${line}\n`);

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await act(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/** Sends one request for each secret and try; the counts of the answers' statuses. */
async function storm(secrets: readonly SealedSecret[], send: (secret: SealedSecret) => Promise<Response>) {
  const answers = new Map<number, number>();
  const started = performance.now();
  await inParallel(
    secrets.flatMap((secret) => Array.from({ length: tries }, () => secret)),
    async (secret) => {
      const response = await send(secret);
      await response.arrayBuffer();
      answers.set(response.status, (answers.get(response.status) ?? 0) + 1);
    },
  );
  const seconds = (performance.now() - started) / 1_000;
  const told = [...answers].map(([status, count]) => `${count} × ${status}`).join(", ");
  return `${secrets.length * tries} requests in ${seconds.toFixed(1)} s: ${told}`;
}

function post(url: string, bearer: string, body: object): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** The id with a proof that somebody made up. */
function withoutProof({ link }: SealedSecret): string {
  const id = (decodeBase64url(link.slice("wsl_".length)) ?? randomBytes(48)).slice(0, 16);
  return `wsl_${encodeBase64url(new Uint8Array([...id, ...randomBytes(32)]))}`;
}

/** How many can't be opened any more by somebody who has link and passphrase. */
async function countUsedUp(api: string, secrets: readonly SealedSecret[]): Promise<number> {
  let usedUp = 0;
  await inParallel(secrets, async ({ link, receipt, access, body }) => {
    await post(`${api}/receipt/unlock`, receipt, {});
    const response = await post(`${api}/secret/open`, link, { access, claim: newClaim() });
    const { share } = (await response.json()) as { share?: string };
    if (share !== body.share) usedUp += 1;
  });
  return usedUp;
}

async function run(name: string, server: ServerProcess): Promise<number> {
  const api = `${server.url}/api/v1`;
  const options = { passphrase: "correct horse" };
  const secrets = await Promise.all(Array.from({ length: secretCount }, () => sealSecret(options)));
  await inParallel(secrets, async ({ body }) => {
    const response = await post(`${api}/secrets`, "", body);
    if (response.status !== 201) throw new Error(`create: ${response.status} ${await response.text()}`);
  });
  print(`${name}, ${secretCount} secrets with a passphrase`);
  const noProof = await storm(secrets, (secret) =>
    post(`${api}/secret/open`, withoutProof(secret), { access: secret.access, claim: newClaim() }),
  );
  print(`  an id but no proof    ${noProof}`);
  const wrong = await storm(secrets, ({ link, wrongAccess }) =>
    post(`${api}/secret/open`, link, { access: wrongAccess, claim: newClaim() }),
  );
  print(`  wrong passphrases     ${wrong}`);
  const usedUp = await countUsedUp(api, secrets);
  print(
    `  used up: ${usedUp} of ${secretCount} (opened afterwards with the right passphrase: ${secretCount - usedUp})`,
  );
  return usedUp;
}

const redis = await startRedis();
let usedUp = 0;
try {
  for (const [name, env] of [
    ["Embedded store", LIMITS],
    ["Redis", { ...LIMITS, REDIS_URL: redis.url }],
  ] as const) {
    const server = await startServer(env);
    try {
      usedUp += await run(name, server);
    } finally {
      await server.stop();
    }
  }
} finally {
  await redis.stop();
}
process.exitCode = usedUp === 0 ? 0 : 1;
