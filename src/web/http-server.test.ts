import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { createHttpServer, drain, type HttpServerOptions } from "./http-server.ts";

/** More time than a busy machine takes, so that nothing is cut but where a test means it to be. */
const PATIENT: HttpServerOptions = {
  handshakeTimeout: 30_000,
  headersTimeout: 30_000,
  requestTimeout: 30_000,
  bytesPerSecond: 1000,
  keepAliveTimeout: 30_000,
  idleTimeout: 30_000,
  checkInterval: 20,
  maxConnections: 3,
};
const SHORT_HEADERS = { headersTimeout: 150 };
const SHORT_REQUEST = { requestTimeout: 300 };

const echo: RequestListener = (req, res) => {
  req.resume().on("end", () => res.end("done"));
};

async function withServer(
  use: (port: number, server: Server) => Promise<void>,
  handler: RequestListener = echo,
  options: Partial<HttpServerOptions> = {},
  isDraining = () => false,
): Promise<void> {
  const server = createHttpServer(handler, isDraining, { ...PATIENT, ...options }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use((server.address() as AddressInfo).port, server);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** A connection, what it has received, and when it is over. */
async function dial(port: number, localAddress = "127.0.0.1") {
  const socket: Socket = connect({ port, host: "127.0.0.1", localAddress });
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  socket.on("error", () => {});
  const closed = once(socket, "close").then(() => received);
  await once(socket, "connect");
  return { socket, closed, received: () => received };
}

/** Sends the beginning, and then the same over and over. */
async function assertCut(beginning: string, drop: string, limits: Partial<HttpServerOptions>): Promise<void> {
  await withServer(
    async (port) => {
      const { socket, closed } = await dial(port);
      socket.write(beginning);
      const drip = setInterval(() => socket.write(drop), 30);
      assert.match(await closed, /^HTTP\/1\.1 408 /);
      clearInterval(drip);
    },
    echo,
    limits,
  );
}

/** Asks for an answer that has no end, and takes `sip` of it over and over. */
async function assertUnreadIsCut(
  sip: (socket: Socket) => void,
  limits: Partial<HttpServerOptions>,
): Promise<void> {
  const endless: RequestListener = (_req, res) => {
    const more = () => {
      while (res.write("x".repeat(65_536)));
      res.once("drain", more);
    };
    more();
  };
  await withServer(
    async (port, server) => {
      const cut = new Promise<void>((resolve) => {
        server.on("connection", (socket) => socket.on("close", () => resolve()));
      });
      const { socket } = await dial(port);
      socket.pause();
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const timer = setInterval(() => sip(socket), 30);
      await cut;
      clearInterval(timer);
      socket.destroy();
    },
    endless,
    limits,
  );
}

describe("The HTTP server", () => {
  it("cuts a connection that never finishes its headers", () =>
    assertCut("GET / HTTP/1.1\r\nHost: x\r\n", "X-Slow: 1\r\n", SHORT_HEADERS));

  it("cuts a connection on which nothing is ever sent", async () => {
    await withServer(
      async (port) => {
        const { closed } = await dial(port);
        await closed;
      },
      echo,
      SHORT_HEADERS,
    );
  });

  it("cuts a connection that never finishes its body", () =>
    assertCut("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "x", SHORT_REQUEST));

  it("lets a body take longer while it keeps coming", async () => {
    await withServer(
      async (port, server) => {
        const { socket, closed } = await dial(port);
        const chunk = "x".repeat(80);
        // What is there when the request begins buys nothing. What follows it at once buys 4 s, and so does
        // each later piece, so that this may come slowly.
        server.once("request", () => socket.write(chunk));
        socket.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5200\r\n\r\n");
        await once(server, "request");
        // Over 2 s, twice what any body may take.
        for (let i = 1; i < 65; i++) {
          await new Promise((resolve) => setTimeout(resolve, 32));
          socket.write(chunk);
        }
        assert.match(await closed, /^HTTP\/1\.1 200 /);
      },
      echo,
      { requestTimeout: 1_000, bytesPerSecond: 20 },
    );
  });

  it("cuts a connection that reads its answer byte by byte", () =>
    assertUnreadIsCut((socket) => socket.read(1), SHORT_REQUEST));

  it("keeps a stream open that has nothing to say", async () => {
    const quiet: RequestListener = (_req, res) => {
      res.write("begun ");
      setTimeout(() => res.end("ended"), 700);
    };
    await withServer(
      async (port) => {
        const { socket, closed } = await dial(port);
        socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert.match(await closed, /begun[\s\S]*ended/);
      },
      quiet,
      SHORT_REQUEST,
    );
  });

  it("cuts a connection that does not read its answer", () =>
    assertUnreadIsCut(() => {}, { idleTimeout: 200 }));

  it("answers pipelined requests that expect to be told to continue one after the other", async () => {
    const answer: RequestListener = (req, res) => {
      req.resume().on("end", () => setTimeout(() => res.end(Buffer.from("answered")), 20));
    };
    await withServer(async (port) => {
      const { socket, closed } = await dial(port);
      const request = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n";
      socket.write(`${request}\r\nx${request}Connection: close\r\n\r\nx`);
      const [, first, second] = (await closed).split("HTTP/1.1 200 OK\r\n");
      for (const one of [first, second]) assert.match(one ?? "", /\r\n\r\nanswered$/);
    }, answer);
  });

  it("cuts a connection that sends hundreds of requests without waiting, and begins with few of them", async () => {
    let begun = 0;
    const count: RequestListener = () => {
      begun++;
    };
    await withServer(async (port) => {
      const { socket, closed } = await dial(port);
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(500));
      assert.equal(await closed, "");
      assert.equal(begun, 32);
    }, count);
  });

  it("tells a client that waits for it to send its body", async () => {
    await withServer(async (port) => {
      const { socket, closed } = await dial(port);
      socket.write(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
      );
      await once(socket, "data");
      socket.write("x");
      assert.match(await closed, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    });
  });

  it("refuses headers of more than 16 KiB", async () => {
    await withServer(async (port) => {
      const { socket, closed } = await dial(port);
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
      assert.match(await closed, /^HTTP\/1\.1 431 /);
    });
  });

  it("takes no more connections than it has places for requests", async () => {
    await withServer(
      async (port, server) => {
        const held = [];
        for (let i = 0; i < 3; i++) {
          const arrived = once(server, "request");
          const connection = await dial(port);
          connection.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
          await arrived;
          held.push(connection);
        }
        const { closed } = await dial(port);
        assert.equal(await closed, "");
        for (const { socket } of held) socket.destroy();
      },
      () => {},
    );
  });

  it("gives a newcomer the place of the connection that has waited longest without a request", async () => {
    await withServer(async (port) => {
      const [first, second, third] = [await dial(port), await dial(port), await dial(port)];
      first.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      while (!first.received().endsWith("done")) await once(first.socket, "data");
      const newcomer = await dial(port);
      assert.equal(await second.closed, "");
      newcomer.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assert.match(await newcomer.closed, /done$/);
      for (const { socket } of [first, third]) socket.destroy();
    }, echo);
  });

  it("gives newcomers places after connections that were reset before they were accepted", async () => {
    await withServer(async (port, server) => {
      // From another process while this one can do nothing, so that all are over when it accepts them.
      const resets = `
          const { connect } = require("node:net");
          for (let i = 0; i < 20; i++) {
            const socket = connect(${port}, "127.0.0.1", () => socket.resetAndDestroy());
          }`;
      execFileSync(process.execPath, ["--eval", resets]);
      const silent = [await dial(port), await dial(port), await dial(port)];
      const newcomer = await dial(port);
      newcomer.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      while (!newcomer.received().endsWith("done")) await once(newcomer.socket, "data");
      const open = await promisify(server.getConnections.bind(server))();
      assert.equal(open, 3);
      for (const { socket } of [...silent, newcomer]) socket.destroy();
    }, echo);
  });

  it("takes the place from the address that has most connections, even one with a request", async () => {
    await withServer(async (port, server) => {
      const person = await dial(port, "127.0.0.1");
      for (let i = 0; i < 2; i++) {
        const arrived = once(server, "request");
        const { socket } = await dial(port, "127.0.0.2");
        socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
        await arrived;
      }
      const newcomer = await dial(port, "127.0.0.3");
      for (const { socket, closed } of [newcomer, person]) {
        socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert.match(await closed, /done$/);
      }
    }, echo);
  });
});

describe("Draining", () => {
  it("lets a request in flight finish, and takes no new connection", async () => {
    let finish = () => {};
    const handler: RequestListener = (_req, res) => {
      finish = () => res.end("the whole answer");
    };
    await withServer(async (port, server) => {
      const arrived = once(server, "request");
      const { socket, closed } = await dial(port);
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await arrived;
      const drained = drain(server, 5000);
      const late = connect(port, "127.0.0.1");
      const [refused] = await once(late, "error");
      assert.equal(refused.code, "ECONNREFUSED");
      finish();
      assert.match(await closed, /the whole answer$/);
      await drained;
    }, handler);
  });

  it("closes connections that are only kept alive, at once", async () => {
    await withServer(async (port, server) => {
      const { socket, closed, received } = await dial(port);
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      while (!received().endsWith("done")) await once(socket, "data");
      await drain(server, 60_000);
      await closed;
    });
  });

  it("makes every answer the last on its connection once it has begun", async () => {
    await withServer(
      async (port) => {
        const { socket, closed } = await dial(port);
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert.match(await closed, /\r\nConnection: close\r\n/);
      },
      echo,
      {},
      () => true,
    );
  });

  it("cuts what has not finished when patience ends", async () => {
    await withServer(
      async (port, server) => {
        const arrived = once(server, "request");
        const { socket, closed } = await dial(port);
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await arrived;
        await drain(server, 50);
        assert.equal(await closed, "");
      },
      () => {},
    );
  });
});
