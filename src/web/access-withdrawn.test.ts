import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { parseClaim, parseId } from "../envelope/tokens.ts";
import { digestClaim } from "../store/digests.ts";
import { blobKey, recordKey } from "../store/redis-keys.ts";
import { asBuffer, text } from "../store/redis-replies.ts";
import type { Store } from "../store/store.ts";
import { bytes } from "../testing/new-secret.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const OFFICE = "198.51.100.7";
const ELSEWHERE = "203.0.113.9";

describe("A secret whose claim was taken back", () => {
  let server: TestRedis;
  let client: Redis;
  let store: Store;
  let app: TestApp;
  before(async () => {
    server = await startRedis();
    client = await connectPatiently(server.port);
    store = await openRedisStore(server.port, { client });
    app = createTestApp({ store, clock: Date.now, env: { TRUST_PROXY: "1" } });
  });
  after(async () => {
    await store?.close();
    await server?.stop();
  });

  /** Opened by a call that handed nothing over and said so. */
  async function takenBack() {
    const secret = await sealSecret({ rules: { networks: [OFFICE] } });
    await app.create(secret);
    const [id, claim] = [parseId(secret.body.id), newClaim()];
    const token = parseClaim(claim);
    assert(id && token);
    const keys = [recordKey(id), blobKey(id)] as const;
    const [link, access] = await client.hmgetBuffer(keys[0], "link", "access");
    assert(link && access);
    const attempt = asBuffer(bytes(16));
    const [kind] = await client.waxsealOpenSecretBuffer(
      ...[...keys, link, access, digestClaim(token), attempt, 30_000, 10_000, 3, 1_000_000],
    );
    assert.equal(text(kind), "won");
    assert.equal((await client.waxsealWithdrawClaimBuffer(...keys, attempt, 1_000_000))[0], 2);
    return { id, secret, claim, endWindow: () => client.hincrby(keys[0], "until", -60_000) };
  }

  const openFrom = (address: string, secret: SealedSecret, claim = newClaim()) =>
    app.open(secret, { access: secret.access, claim }).set("X-Forwarded-For", address);

  it("is opened by nobody whom its rules refuse, also before anybody has seen that it is sealed again", async () => {
    const { id, secret, endWindow } = await takenBack();
    await endWindow();
    const codes = [];
    for (let i = 0; i < 3; i++) codes.push((await openFrom(ELSEWHERE, secret)).body.code);
    assert.deepEqual(codes, ["unavailable", "refused", "refused"]);
    assert.equal((await store.read(id))?.state, "sealed");
    await openFrom(OFFICE, secret).expect(200);
  });

  it("is given to that very claim within its window, wherever that comes from", async () => {
    const { secret, claim } = await takenBack();
    assert.equal((await openFrom(ELSEWHERE, secret)).body.code, "ended");
    await openFrom(ELSEWHERE, secret, claim).expect(200);
  });
});
