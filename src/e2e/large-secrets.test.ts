/**
 * Secrets from nothing to a hundred megabytes through the built server and a real Redis: what goes in
 * comes out. `npm run bench:large` proves the same of a gigabyte.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCuttingProxy } from "../testing/cutting-proxy.ts";
import { generatedFile, receiveLarge, sendLarge } from "../testing/large-secret.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";

const MiB = 2 ** 20;
const ENV = {
  MAX_SECRET_BYTES: "110MiB",
  MAX_FILES: "300",
  UPLOADS_MAX_BYTES: "4GiB",
  // A client that unseals while it downloads; a page downloads first.
  REDELIVERY_WINDOW: "10m",
  RATE_LIMIT_CREATE: "10000/1m",
  RATE_LIMIT_OPEN: "10000/1m",
};

describe("a large secret", () => {
  let redis: TestRedis;
  let server: ServerProcess;
  before(async () => {
    redis = await startRedis();
    server = await startServer({ ...ENV, REDIS_URL: redis.url });
  });
  after(async () => {
    await server?.stop();
    await redis?.stop();
  });

  async function goThrough(sizes: readonly number[], name = (i: number) => `file ${i}`): Promise<void> {
    const files = sizes.map((size, i) => generatedFile(name(i), size));
    const { linkFragment } = await sendLarge(
      server.url,
      files.map(({ part }) => part),
    );
    const received = await receiveLarge(server.url, linkFragment);
    assert.deepEqual(
      received.map(({ name, size, sha256 }) => ({ name, size, sha256 })),
      files.map(({ part, sha256 }) => ({ name: part.name, size: part.size, sha256: sha256() })),
    );
  }

  for (const [size, words] of [
    [0, "no byte"],
    [1, "one byte"],
    [65_535, "a byte less than a chunk"],
    [65_536, "a chunk"],
    [65_537, "a byte more than a chunk"],
    [MiB, "a megabyte"],
    [100 * MiB, "a hundred megabytes"],
  ] as const) {
    it(`of ${words} comes out as it went in`, () => goThrough([size]));
  }

  it("of two hundred files, with names in many scripts, comes out as it went in", async () => {
    const names = [
      "ключ",
      "鍵",
      "مفتاح",
      "κλειδί",
      "키",
      "kľúč",
      "🔑",
      "..\\..\\key",
      'quo"te',
      "line\nbreak",
    ];
    await goThrough(
      Array.from({ length: 200 }, (_, i) => (i * 7919) % 70_000),
      (i) => `${names[i % names.length]} ${i}`,
    );
  });

  it("arrives whole both ways over a line that breaks twenty times each", async () => {
    const size = 100 * MiB;
    const file = generatedFile("file", size);
    const throughCuts = async <T>(transfer: (url: string, onFault: () => void) => Promise<T>): Promise<T> => {
      const line = await startCuttingProxy(server.port, { every: 4.7 * MiB, times: 20 });
      try {
        let faults = 0;
        const result = await transfer(`http://127.0.0.1:${line.port}`, () => {
          faults += 1;
        });
        assert.equal(line.cuts(), 20);
        assert.ok(faults >= 20, `${faults} requests failed`);
        return result;
      } finally {
        await line.close();
      }
    };
    const { linkFragment } = await throughCuts((url, onFault) => sendLarge(url, [file.part], { onFault }));
    const [received] = await throughCuts((url, onFault) => receiveLarge(url, linkFragment, { onFault }));
    assert.equal(received?.sha256, file.sha256());
  });

  it("leaves nothing in Redis but what is remembered of it", async () => {
    const admin = await redis.client();
    const blocks = async () => (await admin.keys("*")).filter((key) => key.includes("blob"));
    assert.deepEqual(await blocks(), []);
  });
});
