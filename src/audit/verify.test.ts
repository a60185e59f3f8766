import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../testing/free-port.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { newClaim, sealSecret } from "../testing/sealed-secret.ts";
import { launchServer, type ServerProcess, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";
import { writeTrail } from "./testing.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "waxseal-audit-"));
after(() => rmSync(dir, { recursive: true }));

function waxseal(args: readonly string[], env: Record<string, string> = {}, input = "") {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["dist/server.js", ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    input,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

function fileOf(name: string, lines: readonly string[]): string {
  const file = join(dir, name);
  writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return file;
}

/** Where nothing is said, that it is ready is not said either. */
async function startServerQuietly(level: string): Promise<ServerProcess> {
  const server = launchServer(await freePort(), { LOG_LEVEL: level });
  await until(() =>
    fetch(`${server.url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return server;
}

describe("audit verify", () => {
  it("ends with 0 for what is whole, 1 for what is not and 2 for what it can't check, and says why", () => {
    const { lines } = writeTrail(5);
    const whole = waxseal(["audit", "verify", fileOf("whole.log", lines)]);
    assert.equal(whole.status, 0, whole.output);
    assert.match(whole.output, /^intact {2}\S+ {2}6 lines, 0 to 5, 20\S+Z to 20\S+Z; no end: /);
    assert.match(whole.output, /\n1 chain\(s\), 6 audit line\(s\), 0 fault\(s\)\.\n$/);

    const broken = waxseal(["audit", "verify", fileOf("broken.log", lines.toSpliced(3, 1))]);
    assert.equal(broken.status, 1, broken.output);
    assert.match(broken.output, /^broken {2}.*\n +3 is missing before 4 at line 4 of .*broken\.log\n/);

    for (const [args, words] of [
      [["audit"], /Usage: audit verify/],
      [["audit", "verify"], /Usage: audit verify/],
      [["audit", "verify", "--what", "file"], /Usage: audit verify/],
      [["audit", "verify", join(dir, "nothing.log")], /can't be read \(ENOENT\)\. Correct the name/],
      [["audit", "verify", fileOf("empty.log", [])], /There is no audit line/],
      [["audit", "verify", "--anchors", "-"], /REDIS_URL is not set here/],
    ] as const) {
      const { status, output } = waxseal(args);
      assert.equal(status, 2, output);
      assert.match(output, words);
    }
    const away = waxseal(["audit", "verify", "--anchors", "-"], { REDIS_URL: "redis://127.0.0.1:1" });
    assert.equal(away.status, 2);
    assert.match(away.output, /Redis does not answer/);
    const wrong = waxseal(["audit", "verify", "--anchors", "-"], { MAX_TTL: "0" });
    assert.equal(wrong.status, 2);
    assert.match(wrong.output, /MAX_TTL/);
  });

  it("reads its standard input, and several files as one log", () => {
    const { lines } = writeTrail(9);
    const piped = waxseal(["audit", "verify", "-"], {}, lines.join("\n"));
    assert.equal(piped.status, 0, piped.output);
    const rotated = [fileOf("log.1", lines.slice(0, 4)), fileOf("log", lines.slice(4))];
    assert.equal(waxseal(["audit", "verify", ...rotated]).status, 0);
    assert.equal(waxseal(["audit", "verify", ...rotated.reverse()]).status, 1);
    const [newer = ""] = rotated;
    assert.equal(waxseal(["audit", "verify", newer]).status, 1);
    assert.equal(waxseal(["audit", "verify", "--partial", newer]).status, 0);
  });

  it("needs no memory for a long line, nor for many", () => {
    const { lines } = writeTrail(2000);
    const long = `{"audit":"${"x".repeat(5_000_000)}"}`;
    const { status, output } = waxseal(
      ["audit", "verify", "-"],
      { NODE_OPTIONS: "--max-old-space-size=24" },
      [
        long,
        ...lines.flatMap((line, index) => (index % 200 === 0 ? [long.slice(0, 200_000), line] : [line])),
      ].join("\n"),
    );
    assert.equal(status, 0, output);
    assert.match(output, /2001 audit line\(s\)/);
  });
});

describe("The logs of servers that share a Redis", () => {
  let redis: TestRedis;
  const running: ServerProcess[] = [];
  before(async () => {
    redis = await startRedis();
  });
  after(async () => {
    for (const server of running) await server.stop();
    await redis.stop();
  });

  async function start(): Promise<ServerProcess> {
    const server = await startServer({ REDIS_URL: redis.url, AUDIT_ADDRESSES: "network" });
    running.push(server);
    return server;
  }
  /** Again and again while it can't, as clients do. */
  async function post(url: string, body: object, more: Record<string, string> = {}): Promise<void> {
    const headers = { "Content-Type": "application/json", ...more };
    await until(async () => {
      const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
      await answer.arrayBuffer();
      assert(answer.ok || answer.status === 503, `${answer.status}`);
      return answer.ok;
    });
  }
  async function use({ url }: ServerProcess): Promise<void> {
    const { body, link, access } = await sealSecret();
    await post(`${url}/api/v1/secrets`, body);
    const holder = { Authorization: `Bearer ${link}` };
    await post(`${url}/api/v1/secret/open`, { access, claim: newClaim() }, holder);
  }
  const linesOf = (servers: readonly ServerProcess[]) =>
    servers.map((server) => server.output().split("\n").filter(Boolean));
  function verify(lines: readonly string[]) {
    for (let tries = 1; ; tries++) {
      const found = waxseal(
        ["audit", "verify", "--anchors", "-"],
        { REDIS_URL: redis.url },
        lines.join("\n"),
      );
      if (tries === 10 || !found.output.includes("Redis does not answer")) return found;
    }
  }
  /**
   * Ends it, and where half a second was not enough for its last anchor, another one that takes its place: all of
   * them, of which the last one's log is anchored to its end.
   */
  async function endAnchored(server: ServerProcess, others = 4): Promise<ServerProcess[]> {
    server.signal("SIGTERM");
    assert.equal(await server.ended, 0);
    const { output } = verify(linesOf([server]).flat());
    if (output.includes("; ended; anchored to its last line\n")) return [server];
    assert(others > 0, output);
    const next = await start();
    await use(next);
    return [server, ...(await endAnchored(next, others - 1))];
  }

  it("agree with what Redis knows, across replicas, a restart and a kill; and not when an end is cut off", async () => {
    const [one, other] = [await start(), await start()];
    for (let i = 0; i < 3; i++) for (const server of [one, other]) await use(server);
    const ones = await endAnchored(one);
    const again = await start();
    await use(again);
    const agains = await endAnchored(again);
    await until(() => (other.output().match(/"audit":"(?:opened|redelivered)"/g)?.length ?? 0) >= 3);
    await other.stop();

    const logs = linesOf([...ones, other, ...agains]);
    const all = verify(logs.flat());
    assert.equal(all.status, 0, all.output);
    assert.match(all.output, new RegExp(`^${logs.length} chain\\(s\\), `, "m"));
    assert.equal(all.output.match(/; ended; anchored to its last line$/gm)?.length, 2);
    assert.equal(all.output.match(/; no end: /g)?.length, 1);

    const anchored = ones.length - 1;
    const withoutEnd = logs.map((lines, index) =>
      index === anchored ? lines.filter((line) => !line.includes("trail-ended")) : lines,
    );
    const cut = verify(withoutEnd.flat());
    assert.equal(cut.status, 1, cut.output);
    assert.match(cut.output, /missing at the end: Redis knew/);
    const gone = verify(logs.slice(0, -1).flat());
    assert.equal(gone.status, 1);
    assert.match(gone.output, /^Chain \S+ is missing: Redis knew its line/m);
  });

  it("begin with the version, and end with a line that says so", async () => {
    const server = await start();
    server.signal("SIGTERM");
    await server.ended;
    const lines = server
      .output()
      .split("\n")
      .filter((line) => line.includes('"audit"'));
    const [first, last] = [lines[0], lines.at(-1)].map((line) => JSON.parse(line ?? ""));
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.deepEqual([first.audit, first.seq, first.version], ["trail-started", 0, version]);
    assert.equal(last.audit, "trail-ended");
  });

  it("hold audit lines whatever the level of the log, but with `silent`", async () => {
    for (const [level, there] of [
      ["error", true],
      ["silent", false],
    ] as const) {
      const server = await startServerQuietly(level);
      running.push(server);
      await use(server);
      server.signal("SIGTERM");
      await server.ended;
      assert.equal(server.output().includes('"audit":"opened"'), there, server.output());
    }
  });
});
