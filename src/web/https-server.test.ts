import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { describe, it } from "node:test";
import { connect as connectSecurely } from "node:tls";
import { makeSelfSigned } from "../tls/self-signed.ts";
import { createHttpsServer, drain, HTTP_SERVER_OPTIONS } from "./http-server.ts";

const pair = makeSelfSigned("localhost", Date.now());

async function start(options: Partial<typeof HTTP_SERVER_OPTIONS> = {}) {
  const all = { ...HTTP_SERVER_OPTIONS, checkInterval: 20, ...options };
  const server = createHttpsServer(
    (_req, res) => void res.end("done"),
    () => false,
    pair,
    all,
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port };
}

async function dial(port: number) {
  const socket = connectSecurely({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("error", () => {});
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  const closed = once(socket, "close").then(() => received);
  await once(socket, "secureConnect");
  return { socket, closed };
}

describe("The HTTPS server", () => {
  it("cuts a connection that never finishes its handshake", async () => {
    const { server, port } = await start({ handshakeTimeout: 100 });
    for (const hello of ["", "\x16\x03\x01"]) {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(hello);
      await once(socket, "close");
    }
    await drain(server, 1000);
  });

  it("cuts a connection that never finishes its headers, and one on which nothing is sent", async () => {
    const { server, port } = await start({ headersTimeout: 150 });
    const slow = await dial(port);
    slow.socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
    assert.match(await slow.closed, /^HTTP\/1\.1 408 /);
    await (await dial(port)).closed;
    await drain(server, 1000);
  });

  it("serves as many connections as it may, and no more", async () => {
    const { server, port } = await start({ maxConnections: 1 });
    const silent = connect(port, "127.0.0.1");
    silent.on("error", () => {});
    await once(silent, "connect");
    // Whoever has no request gives way, be it in the middle of a handshake.
    const second = await dial(port);
    if (!silent.closed) await once(silent, "close");
    second.socket.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.match(await second.closed, /done$/);
    await drain(server, 1000);
  });

  it("ends in time although somebody never finishes a handshake", async () => {
    const { server, port } = await start({ handshakeTimeout: 2_000_000 });
    const arrived = once(server, "connection");
    const silent = connect(port, "127.0.0.1");
    silent.on("error", () => {});
    await arrived;
    await drain(server, 50);
  });
});
