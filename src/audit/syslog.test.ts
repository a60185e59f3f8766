import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, describe, it } from "node:test";
import { pino } from "pino";
import { makeCertificates } from "../testing/certificates.ts";
import { type SyslogReceiver, startSyslogReceiver } from "../testing/syslog-receiver.ts";
import { until } from "../testing/until.ts";
import { createLogCheck } from "./check-log.ts";
import { createSyslog, type SyslogOptions } from "./syslog.ts";
import { writeTrail } from "./testing.ts";

const dir = mkdtempSync(join(tmpdir(), "waxseal-syslog-"));
const certificates = makeCertificates(dir);
const cleanUps: (() => unknown)[] = [() => rmSync(dir, { recursive: true })];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function receive(tls?: { cert: string; key: string }): Promise<SyslogReceiver> {
  const receiver = await startSyslogReceiver(tls);
  cleanUps.push(() => receiver.close());
  return receiver;
}

function send(port: number, options: Partial<SyslogOptions> = {}) {
  const said: string[] = [];
  const log = pino(new Writable({ write: (chunk, _, done) => done(void said.push(String(chunk))) }));
  const written = writeTrail(0, "");
  const syslog = createSyslog({
    host: "127.0.0.1",
    port,
    tls: false,
    ca: undefined,
    trail: written.trail,
    log,
    firstRetry: 5,
    ...options,
  });
  // Nothing of it keeps a process alive.
  const alive = setInterval(() => {}, 1000);
  cleanUps.push(() => {
    clearInterval(alive);
    syslog.close();
  });
  let count = 0;
  const write = (lines: number) => {
    for (let i = 0; i < lines; i++) {
      written.trail.write({ audit: "opened", secret: (++count).toString(16).padStart(16, "0") });
    }
  };
  return { ...written, syslog, said, write };
}

const secretsOf = (receiver: SyslogReceiver) =>
  receiver.messages().map(({ text }) => JSON.parse(text).secret);

/** As the receiver's own files would be checked. */
function faultsIn(receiver: SyslogReceiver): readonly string[] {
  const log = createLogCheck();
  receiver.messages().forEach(({ text }, index) => void log.add(text, `line ${index + 1}`));
  return log.end().chains.flatMap(({ faults }) => faults);
}

describe("A syslog receiver", () => {
  it("gets every line over TCP as a message of RFC 5424, and its file can be checked", async () => {
    const receiver = await receive();
    const { write, syslog } = send(receiver.port);
    write(200);
    await syslog.flush();
    await until(() => receiver.messages().length === 200);
    const [first] = receiver.messages();
    assert.equal(first?.priority, 110);
    assert.equal(first?.app, "waxseal");
    assert.equal(first?.process, String(process.pid));
    assert.equal(first?.id, "opened");
    assert.equal(first?.timestamp, JSON.parse(first?.text ?? "").at);
    assert.deepEqual(faultsIn(receiver), []);
    assert.equal(receiver.connections(), 1);
  });

  it("gets them over TLS from who knows its authority, and nothing from who does not", async () => {
    const receiver = await receive(certificates);
    const tls = { tls: true, ca: certificates.ca };
    const byName = send(receiver.port, { ...tls, host: "localhost" });
    byName.write(3);
    await until(() => receiver.messages().length === 3);
    const byAddress = send(receiver.port, tls);
    byAddress.write(3);
    await until(() => receiver.messages().length === 6);

    const stranger = send(receiver.port, { tls: true });
    stranger.write(3);
    await until(() => stranger.said.length > 0);
    assert.match(stranger.said.join(""), /UNABLE_TO_VERIFY|SELF_SIGNED|CERT/);
    assert.equal(receiver.messages().length, 6);
  });

  it("gets nothing over TLS where the certificate is for another host", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "waxseal-syslog-"));
    cleanUps.push(() => rmSync(elsewhere, { recursive: true }));
    const { ca, cert, key } = makeCertificates(elsewhere, "DNS:logs.example.com");
    const receiver = await receive({ cert, key });
    const { write, said } = send(receiver.port, { tls: true, ca });
    write(1);
    await until(() => said.length > 0);
    assert.match(said.join(""), /ERR_TLS_CERT_ALTNAME_INVALID/);
    assert.deepEqual(receiver.messages(), []);
  });

  it("gets what waited when it is there at last, in order, and its absence is said once", async () => {
    const receiver = await receive();
    await receiver.close();
    const { write, said } = send(receiver.port);
    write(50);
    await until(() => said.length > 0);
    await receiver.listen();
    await until(() => receiver.messages().length === 50);
    assert.deepEqual(faultsIn(receiver), []);
    await until(() => said.some((line) => line.includes("is back")));
    assert.equal(said.filter((line) => line.includes("is away")).length, 1);
    await receiver.close();
    await until(() => said.filter((line) => line.includes("is away")).length === 2);
  });

  it("gets the number of lines that were dropped when it comes back, as a line of the chain", async () => {
    const receiver = await receive();
    await receiver.close();
    const { write, lines, trail } = send(receiver.port, { capacity: 20 });
    write(100);
    await receiver.listen();
    await until(() => receiver.messages().some(({ id }) => id === "syslog-dropped"));
    const told = receiver.messages().map(({ text }) => JSON.parse(text));
    assert.deepEqual(
      told.map(({ seq }) => seq),
      [...Array(20).keys(), 100],
    );
    assert.equal(told.at(-1).dropped, 80);
    assert.deepEqual(faultsIn(receiver), ["20 to 99 are missing before 100 at line 21"]);
    // The log has them all.
    assert.equal(lines.length, 101);
    assert.equal(trail.position()?.seq, 100);
  });

  it("may stop reading: nobody waits for it, no more than so many lines do, and it gets them later", async () => {
    const receiver = await receive();
    const { write, lines } = send(receiver.port, { capacity: 500 });
    write(1);
    await until(() => receiver.messages().length === 1);
    receiver.stall();
    // More than a connection's buffers take, of which each turn can pass on some.
    for (let turn = 0; turn < 60; turn++) {
      write(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(lines.length >= 30_001);
    await receiver.listen();
    await until(() => receiver.messages().some(({ id }) => id === "syslog-dropped"));
    const kept = secretsOf(receiver).filter((secret) => secret !== undefined);
    assert.equal(new Set(kept).size, kept.length);
    for (const fault of faultsIn(receiver)) assert.match(fault, /missing before/);
  });

  it("is given up and connected to anew where it takes nothing for too long", async () => {
    const receiver = await receive();
    const { write } = send(receiver.port, { patience: 50, capacity: 100_000 });
    receiver.stall();
    while (receiver.connections() < 2) {
      write(2_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await receiver.listen();
  });

  it("does not keep the end waiting when it is away", async () => {
    const receiver = await receive();
    await receiver.close();
    const { write, syslog } = send(receiver.port);
    write(1);
    let flushed = false;
    void syslog.flush().then(() => {
      flushed = true;
    });
    syslog.close();
    await receiver.listen();
    assert.equal(flushed, false);
    assert.deepEqual(receiver.messages(), []);
  });
});
