import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../testing/free-port.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
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
  async function use({ url }: ServerProcess): Promise<void> {
    const secret = await sealSecret();
    const headers = { "Content-Type": "application/json" };
    await fetch(`${url}/api/v1/secrets`, { method: "POST", headers, body: JSON.stringify(secret.body) });
    const opened = await fetch(`${url}/api/v1/secret/open`, {
      method: "POST",
      headers: { ...headers, Authorization: `Bearer ${secret.link}` },
      body: JSON.stringify({ access: secret.access }),
    });
    assert.equal(opened.status, 200);
  }
  const linesOf = (servers: readonly ServerProcess[]) =>
    servers.map((server) => server.output().split("\n").filter(Boolean));
  const verify = (lines: readonly string[]) =>
    waxseal(["audit", "verify", "--anchors", "-"], { REDIS_URL: redis.url }, lines.join("\n"));

  it("agree with what Redis knows, across replicas, a restart and a kill; and not when an end is cut off", async () => {
    const [one, other] = [await start(), await start()];
    for (let i = 0; i < 3; i++) for (const server of [one, other]) await use(server);
    one.signal("SIGTERM");
    assert.equal(await one.ended, 0);
    const again = await start();
    await use(again);
    again.signal("SIGTERM");
    assert.equal(await again.ended, 0);
    await until(() => other.output().split('"audit":"opened"').length === 4);
    await other.stop();

    const [first = [], second = [], third = []] = linesOf([one, other, again]);
    const all = verify([...first, ...second, ...third]);
    assert.equal(all.status, 0, all.output);
    assert.match(all.output, /^3 chain\(s\), /m);
    assert.equal(all.output.match(/; ended; anchored to its last line$/gm)?.length, 2);
    assert.equal(all.output.match(/; no end: /g)?.length, 1);

    const withoutEnd = first.filter((line) => !line.includes("trail-ended"));
    const cut = verify([...withoutEnd, ...second, ...third]);
    assert.equal(cut.status, 1, cut.output);
    assert.match(cut.output, /missing at the end: Redis knew/);
    const gone = verify([...first, ...second]);
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
