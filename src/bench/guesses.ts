/**
 * Whether guessing uses a secret up: 10,000 wrong passphrases against one secret, unlocked by its
 * receipt whenever it locks, and 10,000 requests that have its id but no proof. Prints figures.
 *
 *   node --import tsx src/bench/guesses.ts [how many of each]
 */
import { Agent, request } from "node:http";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

const COUNT = Number(process.argv[2] ?? 10_000);
const ABREAST = 32;

const generous = "1000000/1m";
const app = createTestApp({
  env: { LOG_LEVEL: "silent", RATE_LIMIT_OPEN: generous, RATE_LIMIT_MISS: generous },
});
const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });

function post(url: string, bearer: string, body: object): Promise<number> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      Authorization: `Bearer ${bearer}`,
      "Content-Type": "application/json",
      "Content-Length": text.length,
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(text);
  });
}

async function repeat(count: number, act: () => Promise<number>): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  let left = count;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const status = await act();
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
  return statuses;
}

async function guess(
  what: string,
  secret: SealedSecret,
  act: (url: string) => Promise<number>,
): Promise<void> {
  const cpu = process.cpuUsage();
  const statuses = await app.listening((url) => repeat(COUNT, () => act(url)));
  const { user, system } = process.cpuUsage(cpu);
  const record = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret));
  const opened = await app.open(secret);
  const each = ((user + system) / COUNT / 1000).toFixed(2);
  const counted = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`);
  process.stdout.write(
    `${COUNT} ${what}: ${counted.join(", ")}; state after: ${record.body.state}; ` +
      `opening with the right one: ${opened.status}; ${each} ms of CPU each, client included\n`,
  );
}

const guessed = await sealSecret({ passphrase: "rosebud" });
await app.create(guessed);
await guess("wrong passphrases", guessed, async (url) => {
  for (;;) {
    const status = await post(`${url}/api/v1/secret/open`, guessed.link, { access: guessed.wrongAccess });
    if (status !== 423) return status;
    await post(`${url}/api/v1/receipt/unlock`, guessed.receipt, {});
  }
});

const unproven = await sealSecret();
const stranger = await sealSecret();
await app.create(unproven);
const withoutProof = `wsl_${Buffer.concat([
  Buffer.from(unproven.body.id, "base64url"),
  Buffer.from(stranger.link.slice(4), "base64url").subarray(16),
]).toString("base64url")}`;
await guess("requests with the id but no proof", unproven, (url) =>
  post(`${url}/api/v1/secret/open`, withoutProof, { access: unproven.access }),
);
agent.destroy();
