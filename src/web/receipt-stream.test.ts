import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, it } from "node:test";
import express, { type Response } from "express";
import type { SecretRecord } from "../store/store.ts";
import { readEvents } from "../testing/event-stream.ts";
import { newSecret } from "../testing/new-secret.ts";
import { until } from "../testing/until.ts";
import { type ReceiptStream, startReceiptStream } from "./receipt-stream.ts";

const { id, linkHash, receiptHash } = newSecret();
const SEALED: SecretRecord = {
  ...{ id, linkHash, receiptHash },
  state: "sealed",
  passphrase: true,
  size: 1,
  createdAt: 0,
  expiresAt: 60_000,
  triesLeft: 10,
  events: [{ at: 0, kind: "sealed" }],
};
const OPENED: SecretRecord = {
  ...SEALED,
  state: "opened",
  endedAt: 1,
  events: [...SEALED.events, { at: 1, kind: "opened" }],
};

interface Rig {
  readonly url: string;
  readonly port: number;
  readonly stream: () => ReceiptStream;
}

/** A server whose every answer is a stream of what `read` says. */
async function streaming(
  read: () => Promise<SecretRecord | undefined>,
  use: (rig: Rig) => Promise<void>,
  { heartbeat = 60_000, arrival = 60_000 } = {},
): Promise<void> {
  let current: ReceiptStream | undefined;
  const app = express();
  app.get("/", (_req, res: Response) => {
    current = startReceiptStream({ res, read, lastEventId: undefined, arrival, heartbeat });
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  try {
    const { port } = address;
    const stream = () => current ?? assert.fail("nobody asked");
    await use({ url: `http://127.0.0.1:${port}`, port, stream });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

describe("A receipt's stream", () => {
  it("reads once at a time and once more, however many hints come meanwhile", async () => {
    let reads = 0;
    let release = () => {};
    const read = async () => {
      reads++;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { ...SEALED, triesLeft: reads };
    };
    await streaming(read, async ({ url, stream }) => {
      const reader = await readEvents(url, {});
      for (let i = 0; i < 100; i++) stream().look();
      assert.equal(reads, 1);
      release();
      assert.equal((await reader.next())?.event, "receipt");
      await until(() => reads === 2);
      release();
      await reader.next();
      stream().look();
      assert.equal(reads, 3);
      release();
      reader.close();
    });
  });

  it("finds what no hint told at the next sign of life, also after the store was away", async () => {
    let answer: () => SecretRecord = () => SEALED;
    await streaming(
      async () => answer(),
      async ({ url }) => {
        const reader = await readEvents(url, {});
        await reader.next();
        let failures = 0;
        answer = () => {
          failures++;
          throw new Error("away");
        };
        await until(() => failures > 1);
        answer = () => ({ ...SEALED, triesLeft: 1 });
        const { data } = (await reader.next()) ?? assert.fail("it ended");
        assert.equal((data as { triesLeft: number }).triesLeft, 1);
        assert.ok(reader.beats() > 1);
        reader.close();
      },
      { heartbeat: 10 },
    );
  });

  it("waits for the arrival of what was opened, and ends when it has told it", async () => {
    let record = OPENED;
    await streaming(
      async () => record,
      async ({ url, stream }) => {
        const reader = await readEvents(url, {});
        await reader.next();
        record = { ...OPENED, events: [...OPENED.events, { at: 2, kind: "received" }] };
        stream().look();
        assert.equal((await reader.next())?.event, "receipt");
        assert.equal(await reader.next(), undefined);
      },
    );
  });

  it("does not wait for that for ever", async () => {
    const read = async () => OPENED;
    await streaming(
      read,
      async ({ url }) => {
        const reader = await readEvents(url, {});
        assert.ok(await reader.next());
        assert.equal(await reader.next(), undefined);
      },
      { arrival: 20 },
    );
  });

  it("ends where the secret is forgotten", async () => {
    let record: SecretRecord | undefined = SEALED;
    await streaming(
      async () => record,
      async ({ url, stream }) => {
        const reader = await readEvents(url, {});
        await reader.next();
        record = undefined;
        stream().look();
        assert.equal(await reader.next(), undefined);
      },
    );
  });

  it("lets go of who doesn't read, instead of keeping for them what they don't take", async () => {
    let count = 0;
    const read = async () => ({
      ...SEALED,
      triesLeft: ++count,
      events: Array.from({ length: 2_000 }, () => ({ at: count, kind: "visited" as const })),
    });
    await streaming(read, async ({ port, stream }) => {
      const client = connect(port, "127.0.0.1").pause();
      client.on("error", () => {}); // it is reset
      client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await until(() => count > 0);
      let over = false;
      void stream().over.then(() => {
        over = true;
      });
      await until(() => {
        stream().look();
        return over;
      });
      // The system's buffers take some megabytes; what this process would keep has no bound.
      assert.ok(count * 100_000 < 50_000_000);
      client.destroy();
    });
  });
});
