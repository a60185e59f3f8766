import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { recordKey } from "../store/redis-keys.ts";
import type { NewSecret, Store } from "../store/store.ts";
import { newSecret, newUpload, uploadWhole } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp } from "../testing/test-app.ts";

let redis: TestRedis;
let admin: Redis;
let store: Store;
before(async () => {
  redis = await startRedis();
  admin = await redis.client();
  store = await openRedisStore(redis.port);
});
after(async () => {
  await store.close();
  await redis.stop();
});

const versionOf = async ({ id }: Pick<NewSecret, "id">) => admin.hget(recordKey(id), "v");

describe("A record's format", () => {
  it("is one that a program without rules leaves alone where there are rules, and only there", async () => {
    const rules = { rules: "{}", sender: "{}" };
    const [plain, told, ruled] = [newSecret(), newSecret({ sender: "{}" }), newSecret(rules)];
    const [upload, ruledUpload] = [newUpload(3_000), newUpload(3_000, rules)];
    for (const secret of [plain, told, ruled]) await store.create(secret);
    for (const { secret, blob } of [upload, ruledUpload]) await uploadWhole(store, secret, blob);
    for (const secret of [plain, told]) {
      await store.note(secret.id, "visited", 0);
      assert.equal(await versionOf(secret), "1");
    }
    assert.equal(await versionOf(upload.secret), "2");
    assert.equal(await versionOf(ruled), "3");
    assert.equal(await versionOf(ruledUpload.secret), "3");
  });

  it("shows a program without notes only events that it knows", async () => {
    const secret = newSecret();
    await store.create(secret);
    await store.note(secret.id, "visited", 0);
    await store.note(secret.id, "refused-not-yet", 0);
    await store.delete(secret.id);
    assert.match(String(await admin.hget(recordKey(secret.id), "events")), /^\d+:sealed,\d+:deleted$/);
  });
});

describe("A record that another version of the program wrote", () => {
  for (const [which, version] of [
    ["an older", "0"],
    ["a newer", "4"],
    ["a much newer", "10"],
  ] as const) {
    it(`is answered with "try again" in ${which} format, and is whole once a replica that knows it is asked`, async () => {
      const app = createTestApp({ store });
      const secret = await sealSecret();
      await app.create(secret);
      await admin.hset(recordKey(secret.body.id), "v", version);
      const open = { access: secret.access, claim: newClaim() };
      const answers = [
        await app.http.get("/api/v1/secret").set(app.asLink(secret)),
        await app.http.post("/api/v1/secret/open").set(app.asLink(secret)).send(open),
        await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)),
        await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)),
        await app.http.post("/api/v1/secrets").send(secret.body),
      ];
      for (const { status, headers, body } of answers) {
        assert.equal(status, 503);
        assert.equal(headers["retry-after"], "2");
        assert.equal(body.code, "unavailable");
      }
      await admin.hset(recordKey(secret.body.id), "v", "1");
      const opened = await app.open(secret);
      assert.equal(opened.status, 200);
      assert.equal(opened.body.share, secret.body.share);
    });
  }
});
