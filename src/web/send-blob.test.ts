import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { LIMITS } from "../store/contract-harness.ts";
import { createMemoryStore } from "../store/memory.ts";
import { BLOB_BLOCK, type Store, StoreUnavailableError } from "../store/store.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";

const failures = (app: TestApp) => app.logLines().filter(({ msg }) => msg === "request failed");
const isCut = (app: TestApp) =>
  app.logLines().some(({ method, incomplete }) => method === "GET" && incomplete);

/** An app with a secret of several blocks, and the first bytes of its download. */
async function download(
  use: (app: TestApp, response: IncomingMessage) => Promise<void>,
  isDown: () => boolean,
) {
  const store = createMemoryStore({ limits: LIMITS, maxBytes: 1 << 26 });
  const failing: Store = {
    ...store,
    readBlob: async (id, start, end) => {
      if (start > 0 && isDown()) throw new StoreUnavailableError();
      return store.readBlob(id, start, end);
    },
  };
  const app = createTestApp({ store: failing });
  const secret = await sealSecret({ text: "x".repeat(20 * BLOB_BLOCK), ttl: 3_600 });
  await app.upload(secret, BLOB_BLOCK);
  await app.listening(async (url) => {
    const [response] = await once(
      get(`${url}/api/v1/secret/blob`, { headers: app.asLink(secret) }),
      "response",
    );
    await use(app, response);
  });
  await store.close();
}

describe("A download that breaks off", () => {
  it("is in the log where the store failed in the middle of it, and does not look complete", async () => {
    await download(
      async (app, response) => {
        await assert.rejects(async () => {
          for await (const _ of response);
        });
        await until(async () => failures(app).length > 0);
        assert.equal(failures(app).length, 1);
        assert.match(JSON.stringify(failures(app)), /"name":"StoreUnavailableError"/);
      },
      () => true,
    );
  });

  it("is no failure where the client went away", async () => {
    await download(
      async (app, response) => {
        await once(response, "readable");
        response.destroy();
        await until(async () => isCut(app));
        assert.deepEqual(failures(app), []);
      },
      () => false,
    );
  });
});
