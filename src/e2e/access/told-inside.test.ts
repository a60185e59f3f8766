import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fingerprint } from "../../audit/fingerprint.ts";
import { ask } from "../../testing/every-flow.ts";
import { type HookReceiver, startHookReceiver } from "../../testing/hook-receiver.ts";
import { startRedis, type TestRedis } from "../../testing/redis-server.ts";
import { newClaim, sealSecret } from "../../testing/sealed-secret.ts";
import { type ServerProcess, startServer } from "../../testing/server-process.ts";
import { until } from "../../testing/until.ts";

let redis: TestRedis;
let hook: HookReceiver;
const servers: ServerProcess[] = [];
before(async () => {
  redis = await startRedis();
  hook = await startHookReceiver();
});
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await hook?.close();
  await redis?.stop();
});

async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const server = await startServer({ REDIS_URL: redis.url, ...env });
  servers.push(server);
  return server;
}

async function post(server: ServerProcess, path: string, body: object, bearer?: string): Promise<number> {
  const headers = {
    "Content-Type": "application/json",
    ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
  };
  const response = await ask(`${server.url}/api/v1/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return response.status;
}

describe("An instance that only opens, and has nobody to tell", () => {
  it("leaves it to the one that creates to tell what was opened, locked and refused there", async () => {
    const hooks = [{ name: "ops", url: `http://127.0.0.1:${hook.port}/in`, format: "ntfy" }];
    const opening = await start({ ROLE: "open", PASSPHRASE_TRIES: "1" });
    const creating = await start({
      ROLE: "create",
      LINK_URL: opening.url,
      WEBHOOKS: JSON.stringify(hooks),
      WEBHOOK_ALLOW_CIDRS: "127.0.0.1",
    });
    const [opened, locked, refused] = [await sealSecret(), await sealSecret(), await sealSecret()];
    const rules = { networks: ["192.0.2.0/24"] };
    for (const body of [opened.body, locked.body, { ...refused.body, rules }])
      assert.equal(await post(creating, "secrets", body), 201);

    const proof = { access: opened.access, claim: newClaim() };
    assert.equal(await post(opening, "secret/open", proof, opened.link), 200);
    assert.equal(await post(opening, "secret/open", { access: opened.access }, locked.link), 403);
    assert.equal(await post(opening, "secret/open", { access: refused.access }, refused.link), 403);
    const told = () => hook.received.map(({ body }) => body).join("\n");
    await until(() => [opened, locked, refused].every(({ body }) => told().includes(fingerprint(body.id))));
    assert.equal(hook.received.length, 3, told());
  });
});
