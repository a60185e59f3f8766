import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import express, { type RequestHandler } from "express";
import { onceOver } from "./once-over.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

async function withHandler(handler: RequestHandler, use: (client: Socket) => Promise<void>): Promise<void> {
  const server = express().use(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  try {
    await use(client);
  } finally {
    client.destroy();
    server.close();
    server.closeAllConnections();
  }
}

describe("onceOver", () => {
  it("acts once for every answer on a connection, when that answer has been sent", async () => {
    const over: number[] = [];
    let requests = 0;
    const handler: RequestHandler = (_req, res) => {
      const own = ++requests;
      onceOver(res, () => over.push(own));
      res.end(over.join());
    };
    await withHandler(handler, async (client) => {
      for (const before of ["", "1", "1,2"]) {
        client.write(GET);
        const [answer] = await once(client, "data");
        assert.ok(String(answer).endsWith(`\r\n\r\n${before}`));
      }
      client.end();
      await once(client.resume(), "close");
      assert.deepEqual(over, [1, 2, 3]);
    });
  });

  it("acts at once where the client has hung up before", async () => {
    let hangUp = () => {};
    const acted = new Promise<boolean>((resolve) => {
      const handler: RequestHandler = async (_req, res) => {
        hangUp();
        await once(res, "close");
        let done = false;
        onceOver(res, () => {
          done = true;
        });
        resolve(done);
      };
      withHandler(handler, async (client) => {
        hangUp = () => client.destroy();
        client.write(GET);
        await once(client, "close");
        await acted;
      });
    });
    assert.equal(await acted, true);
  });

  it("acts for answers whose turn had not come when the connection ended", async () => {
    const over: number[] = [];
    let requests = 0;
    let hangUp = () => {};
    let ended: Promise<unknown> | undefined;
    const handler: RequestHandler = (req, res) => {
      const own = ++requests;
      onceOver(res, () => over.push(own));
      ended ??= once(req.socket, "close");
      if (own === 20) hangUp();
    };
    await withHandler(handler, async (client) => {
      hangUp = () => client.destroy();
      client.write(GET.repeat(20));
      await once(client, "close");
      await ended;
      assert.deepEqual(
        over.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    });
  });
});
