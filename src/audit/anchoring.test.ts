import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { pino } from "pino";
import type { Anchors } from "../store/anchors.ts";
import { createRedisAnchors } from "../store/redis-anchors.ts";
import { defineScripts, loadScripts } from "../store/redis-scripts.ts";
import { connectPatiently } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { startAnchoring } from "./anchoring.ts";
import { createLogCheck } from "./check-log.ts";
import { writeTrail } from "./testing.ts";

const secret = "0123456789abcdef";

describe("Anchoring the audit trail", () => {
  let server: TestRedis;
  let client: Redis;
  let anchors: Anchors;
  before(async () => {
    server = await startRedis();
    // What can't be kept at once is tried again after an hour only.
    client = await connectPatiently(server.port);
    defineScripts(client, loadScripts());
    anchors = createRedisAnchors(client);
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  function start(options: { every?: number; everyLines?: number }) {
    const said: string[] = [];
    const log = pino(new Writable({ write: (chunk, _, done) => done(void said.push(String(chunk))) }));
    const written = writeTrail();
    const anchoring = startAnchoring({ trail: written.trail, anchors, log, every: 3_600_000, ...options });
    const { chain } = JSON.parse(written.lines[0] ?? "");
    const kept = async () => (await anchors.list()).find((anchor) => anchor.chain === chain);
    const write = () => written.trail.write({ audit: "opened", secret });
    return { ...written, anchoring, said, kept, write };
  }

  it("keeps the last line's hash after so many lines, and writes down that it did", async () => {
    const { write, kept, lines, anchoring, trail } = start({ everyLines: 10 });
    for (let i = 0; i < 9; i++) write();
    assert.equal(await kept(), undefined);
    write();
    const position = trail.position();
    await until(() => lines.length === 12);
    assert.deepEqual(await kept(), { ...position, at: (await kept())?.at });
    const told = JSON.parse(lines.at(-1) ?? "");
    assert.deepEqual(
      [told.audit, told.anchorSeq, told.anchorHash],
      ["anchored", position?.seq, position?.hash],
    );
    await anchoring.close();
  });

  it("keeps it from time to time where there is something new, and is silent where there is not", async () => {
    const { write, kept, lines, anchoring } = start({ every: 2 });
    const alive = setInterval(() => {}, 1000);
    write();
    await until(async () => (await kept())?.seq === 1 && lines.length === 3);
    for (let turn = 0; turn < 20; turn++) await client.ping();
    assert.equal(lines.length, 3);
    write();
    await until(async () => (await kept())?.seq === 3);
    await anchoring.close();
    clearInterval(alive);
  });

  it("keeps the very last line at the end, so that a log without it does not agree", async () => {
    const { write, lines, anchoring, trail } = start({});
    write();
    trail.write({ audit: "trail-ended" });
    await anchoring.close();
    const faults = async (some: readonly string[]) => {
      const own = trail.position()?.chain;
      const check = createLogCheck({ anchors: (await anchors.list()).filter(({ chain }) => chain === own) });
      some.forEach((line, index) => void check.add(line, `line ${index + 1}`));
      return check.end().faultCount;
    };
    assert.equal(await faults(lines), 0);
    assert.equal(await faults(lines.slice(0, -1)), 1);
  });

  it("is waited for by nobody while Redis is away, says so once, and goes on when it is back", async () => {
    const { write, kept, lines, said, anchoring } = start({ every: 2, everyLines: 5 });
    const alive = setInterval(() => {}, 1000);
    await server.kill();
    for (let i = 0; i < 100; i++) write();
    assert.equal(lines.length, 101);
    await until(() => said.length > 0);
    await server.restart();
    await until(async () => client.status === "ready" && (await kept()) !== undefined);
    assert.equal(said.filter((line) => line.includes("can't be anchored")).length, 1);
    await anchoring.close();
    clearInterval(alive);
  });
});
