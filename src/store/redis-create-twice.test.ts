import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blockedConnections, endWaits } from "../testing/blocked-waits.ts";
import { newSecret, newUpload, opening } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { startTcpProxy } from "../testing/tcp-proxy.ts";
import { until } from "../testing/until.ts";
import { recordKey, UPLOAD_SIZES_KEY } from "./redis-keys.ts";
import { StoreFullError, StoreUnavailableError } from "./store.ts";

describe("A create that is sent again while the first is waiting for replicas", () => {
  for (const kind of ["a secret", "an upload"] as const) {
    it(`keeps ${kind} once it is confirmed, though the first one takes its own attempt back`, async () => {
      const master = await startRedis();
      const line = await startTcpProxy(master.port);
      const replica = await startRedis("--replicaof", "127.0.0.1", String(line.port));
      const admin = await master.client();
      const confirmed = async () => {
        await admin.set("line", "mended");
        return (await admin.wait(1, 100)) === 1;
      };
      const areWaiting = async (count: number) => (await blockedConnections(admin)).length === count;
      await until(confirmed);
      const one = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
      const other = await openRedisStore(master.port, { waitReplicas: 1, waitTimeout: 20_000 });
      try {
        const whole = newSecret();
        const upload = newUpload(1_000);
        const secret = kind === "a secret" ? whole : upload.secret;
        line.cut();
        const first = assert.rejects(one.create(secret), StoreUnavailableError);
        await until(() => areWaiting(1));
        const own = await blockedConnections(admin);
        const second = other.create(secret);
        await until(() => areWaiting(2));
        await endWaits(admin, own);
        await first;
        line.mend();
        const created = await second;
        assert(created.kind === "created" && created.existed);
        assert.equal((await other.read(secret.id))?.state, kind === "a secret" ? "sealed" : "uploading");
        if (kind === "an upload") {
          assert.equal(await admin.hget(UPLOAD_SIZES_KEY, "total"), "1000");
          await other.writeBlob(secret.id, 0, upload.blob);
          assert.equal((await other.sealUpload(secret.id)).kind, "sealed");
        }
        assert.equal((await other.open(opening(secret))).kind, "handed-over");
      } finally {
        await Promise.all([one.close(), other.close(), line.close()]);
        await Promise.all([master.stop(), replica.stop()]);
      }
    });
  }
});

describe("A create that is sent again where there is no room for more", () => {
  it("is not confirmed by replicas that do not have the first, and keeps it once it is", async () => {
    const master = await startRedis();
    const line = await startTcpProxy(master.port);
    const replica = await startRedis("--replicaof", "127.0.0.1", String(line.port));
    const [admin, mirror] = [await master.client(), await replica.client()];
    await until(async () => (await mirror.info("replication")).includes("master_link_status:up"));
    const alone = await openRedisStore(master.port);
    const budget = { kind: "size", bytes: 1 } as const;
    const full = await openRedisStore(master.port, { budget, waitReplicas: 1, waitTimeout: 300 });
    const patient = await openRedisStore(master.port, { budget, waitReplicas: 1, waitTimeout: 20_000 });
    try {
      const secret = newSecret();
      // Still connected, so that it counts for whoever has written nothing.
      line.silence();
      await alone.create(secret);
      await assert.rejects(full.create(secret), StoreUnavailableError);
      line.mend();
      await until(async () => (await mirror.exists(recordKey(secret.id))) === 1);
      await until(async () => {
        const again = await full.create(secret).catch(() => undefined);
        return again?.kind === "created" && again.existed;
      });
      assert.equal(await admin.hget(recordKey(secret.id), "asked"), "1");
      assert.equal((await alone.open(opening(secret))).kind, "handed-over");
      await assert.rejects(patient.create(newSecret()), StoreFullError);
    } finally {
      await Promise.all([alone.close(), full.close(), patient.close(), line.close()]);
      await Promise.all([master.stop(), replica.stop()]);
    }
  });
});
