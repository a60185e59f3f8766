// The appliance as an operator gets it: the image is built, the compose file and its overlays are
// brought up on a real engine, and a browser creates and opens secrets through them.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { type Engine, run, startEngine } from "./docker/engine.ts";
import { describeLayers, differences, imageLayers, type Layer } from "./docker/image-layers.ts";
import { createLink, endBehind, openLink, startBrowser } from "./docker/person.ts";
import { createStack, inspectContainer, redisCommand, repository, type Stack } from "./docker/stack.ts";
import { baseImages, composeImages, ensureImages } from "./docker/stand-ins.ts";

const image = "waxseal:0.1.0";
const composeFolder = join(repository, "deploy/compose");
const overlays = readdirSync(composeFolder).filter((name) => name.endsWith(".yaml"));
const node = "/usr/local/bin/node";

let engine: Engine;
let browser: Browser;
let layers: readonly Layer[];
let work: string;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}

async function build(tag: string, buildKit: "0" | "1"): Promise<void> {
  await engine.docker(
    [
      ...["build", "--no-cache", "--network", "host", "--quiet", "--tag", tag],
      ...["--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--build-arg", "REVISION=test", repository],
    ],
    { env: { DOCKER_BUILDKIT: buildKit } },
  );
}

/** Whether a connection is accepted; refused, unreachable and silent are all no. */
async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2000 });
  return new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("timeout", () => resolve(false));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}

/** The same from inside a network of the engine's. */
async function acceptsFrom(network: string, host: string, port: number): Promise<boolean> {
  const program = `const s = require("node:net").connect({ host: ${JSON.stringify(host)}, port: ${port}, timeout: 2000 });
    s.once("connect", () => process.exit(0)); s.once("timeout", () => process.exit(7)); s.once("error", () => process.exit(7));`;
  const ran = await engine.docker(
    ["run", "--rm", "--network", network, "--entrypoint", node, image, "-e", program],
    { mayFail: true },
  );
  assert.ok(ran.code === 0 || ran.code === 7, `the probe itself failed: ${ran.stderr}`);
  return ran.code === 0;
}

async function head(url: string): Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: "GET", rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    asked.once("error", reject);
    asked.end();
  });
}

/** Brings a stack up, always takes it down, and says what its containers said where something failed. */
async function withStack(
  t: TestContext,
  names: readonly string[],
  env: NodeJS.ProcessEnv,
  act: (stack: Stack, address: string) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const address = `http://localhost:${port}`;
  const project = `waxseal-test-${process.pid}-${names.join("-").replace(/[^a-z-]/g, "")}`;
  const stack = createStack(engine, project, names, {
    PUBLIC_URL: address,
    ...env,
    WAXSEAL_PORT: String(port),
  });
  try {
    const began = Date.now();
    await stack.up();
    t.diagnostic(`up and healthy after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    await act(stack, address);
  } catch (error) {
    const said = await stack.compose(["logs", "--no-color", "--tail", "30"], { mayFail: true });
    t.diagnostic(said.stdout.slice(-6000));
    throw error;
  } finally {
    await stack.down();
  }
}

async function readableTimes<T>(what: string, act: () => Promise<T>): Promise<T> {
  let last: unknown;
  for (let attempt = 0; attempt < 40; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      last = error;
      await sleep(500);
    }
  }
  throw new Error(`${what}: ${String(last)}`);
}

async function makeCertificate(folder: string): Promise<void> {
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")],
  ]);
  // The rig's own throw-away key; the containers run under user ids that own nothing here.
  await run("chmod", ["-R", "a+rX", folder]);
}

describe("the appliance", () => {
  before(async () => {
    work = mkdtempSync(join(tmpdir(), "waxseal-appliance-"));
    engine = await startEngine();
    const composeFiles = ["compose.yaml", ...overlays.map((name) => `deploy/compose/${name}`)];
    await ensureImages(engine, [
      ...baseImages(readFileSync(join(repository, "Dockerfile"), "utf8")),
      ...composeFiles
        .flatMap((file) => composeImages(readFileSync(join(repository, file), "utf8")))
        .filter((tag) => tag !== image),
    ]);
    await build(image, "0");
    layers = await imageLayers(engine, image);
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await engine?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  describe("the image", () => {
    it("is the same, file by file, when it is built again and by the other builder", async (t) => {
      await build("waxseal-again:1", "1");
      const again = await imageLayers(engine, "waxseal-again:1");
      assert.deepEqual(differences(layers, again), []);
      t.diagnostic(describeLayers(layers));
    });

    it("holds nothing that is not needed at run time, and nothing that can be changed", () => {
      const files = layers.flatMap((layer) => layer.files);
      const named = (pattern: RegExp) =>
        files.filter(({ path }) => pattern.test(path)).map(({ path }) => path);
      assert.deepEqual(named(/(^|\/)(sh|bash|dash|busybox|npm|npx|apt|apt-get|dpkg|curl|wget|perl)$/), []);
      assert.deepEqual(
        named(/\.(ts|mts|cts|map|md)$|\.test\.|(^|\/)(test|tests|e2e|bench|\.git|\.npmrc)(\/|$)/),
        [],
      );
      assert.deepEqual(
        named(/node_modules\/(typescript|esbuild|tsx|@biomejs|playwright-core|supertest)\//),
        [],
      );
      assert.deepEqual(named(/\.node$/), [], "native code would tie the image to one architecture");
      const loose = files.filter(
        ({ type, mode }) => type !== "2" && (Number.parseInt(mode, 8) & 0o6022) !== 0,
      );
      assert.deepEqual(
        loose.map(({ path, mode }) => `${mode} ${path}`),
        [],
      );
      assert.deepEqual(
        files.filter(({ owner }) => owner !== "0:0"),
        [],
      );
      assert.deepEqual(
        files.filter(({ modified }) => modified !== 1_700_000_000),
        [],
      );
    });

    it("starts as a numeric user, without a shell, and says what it is", async () => {
      const [{ Config }] = JSON.parse((await engine.docker(["image", "inspect", image])).stdout) as [
        {
          Config: {
            User: string;
            Entrypoint: string[];
            Healthcheck: { Test: string[] };
            Labels: Record<string, string>;
          };
        },
      ];
      assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/);
      assert.deepEqual(Config.Entrypoint, [node, "/app/dist/server.js"]);
      assert.equal(Config.Healthcheck.Test[0], "CMD");
      for (const label of ["title", "description", "licenses", "version", "revision", "created"]) {
        assert.ok(Config.Labels[`org.opencontainers.image.${label}`], label);
      }
    });

    it("runs alone as any user on a file system that it cannot write, and drains on SIGTERM", async (t) => {
      const uid = 20_000 + Math.floor(Math.random() * 1_000_000);
      const port = await freePort();
      const began = Date.now();
      const started = await engine.docker([
        ...["run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
        ...["--user", `${uid}:0`, "--memory", "256m", "--network", "none"],
        ...["--env", `PUBLIC_URL=http://localhost:${port}`, image],
      ]);
      const id = started.stdout.trim();
      try {
        await readableTimes("ready", () =>
          engine.docker(["exec", id, node, "/app/dist/server.js", "healthcheck"]),
        );
        t.diagnostic(`ready ${((Date.now() - began) / 1000).toFixed(1)} s after docker run`);
        const { State } = await inspectContainer(engine, id);
        const status = readFileSync(`/proc/${State.Pid}/status`, "utf8");
        assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, "m"));
        assert.match(status, /^CapEff:\t0+$/m);
        assert.match(readFileSync(`/proc/${State.Pid}/cmdline`, "utf8"), /^\/usr\/local\/bin\/node\0/);
        const program =
          'for (const f of ["/x", "/app/x", "/app/dist/x", "/etc/x", "/usr/x"]) { try { require("fs").writeFileSync(f, ""); console.log(f) } catch (e) { if (e.code !== "EROFS") console.log(f, e.code) } }';
        assert.equal((await engine.docker(["exec", "--user", "0", id, node, "-e", program])).stdout, "");
        const stopping = Date.now();
        await engine.docker(["stop", "--time", "15", id]);
        const stopped = await inspectContainer(engine, id);
        assert.equal(stopped.State.ExitCode, 0);
        assert.ok(Date.now() - stopping < 10_000, "SIGTERM must end it by itself, not the engine's patience");
        const changed = (await engine.docker(["diff", id])).stdout;
        assert.equal(changed, "", "nothing was written anywhere");
      } finally {
        await engine.docker(["rm", "--force", id]);
      }
    });
  });

  describe("compose.yaml", () => {
    it("is accepted with every overlay, each of which says when to use it and how", async () => {
      const env = {
        PUBLIC_URL: "https://secrets.example.com",
        WAXSEAL_DOMAIN: "secrets.example.com",
        TLS_FOLDER: work,
        REDIS_PASSWORD_FILE: join(work, "password"),
      };
      await createStack(engine, "config", [], {}).compose(["config", "--quiet"]);
      for (const name of overlays) {
        const text = readFileSync(join(composeFolder, name), "utf8");
        assert.match(text, /^# When: /, name);
        assert.match(text, new RegExp(`-f compose\\.yaml -f deploy/compose/${name} up -d`), name);
        await createStack(engine, "config", [name], env).compose(["config", "--quiet"]);
      }
    });

    it("lets Redis' user do every command that the scripts use", () => {
      const script = readFileSync(join(composeFolder, "redis-start.sh"), "utf8");
      const allowed = new Set(/commands='([^']*)'/.exec(script)?.[1]?.split(/\s+/));
      const folder = join(repository, "src/store/lua");
      const used = readdirSync(folder).flatMap((name) => [
        ...readFileSync(join(folder, name), "utf8").matchAll(/redis\.p?call\(\s*['"](\w+)['"]/g),
      ]);
      assert.ok(used.length > 0);
      const missing = used
        .map((match) => `+${match[1]?.toLowerCase()}`)
        .filter((command) => !allowed.has(command));
      assert.deepEqual(missing, []);
    });

    it("hands over a secret, keeps it across the app's restarts, and loses it honestly with Redis", async (t) => {
      await withStack(t, [], {}, async (stack, address) => {
        const first = `first ${Math.random()}`;
        assert.ok((await openLink(browser, await createLink(browser, address, first))).includes(first));

        const kept = `kept ${Math.random()}`;
        const keptLink = await createLink(browser, address, kept);
        const lostLink = await createLink(browser, address, `lost ${Math.random()}`);
        await engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        await stack.healthy("waxseal");
        assert.ok((await openLink(browser, keptLink)).includes(kept));

        await engine.docker(["restart", "--time", "5", await stack.container("redis")]);
        await stack.healthy("redis");
        assert.match(await endBehind(browser, lostLink), /can't find|lost/i);
        const afterwards = `afterwards ${Math.random()}`;
        assert.ok(
          (await openLink(browser, await createLink(browser, address, afterwards))).includes(afterwards),
        );
        const state = await stack.inspect("waxseal");
        assert.equal(state.RestartCount, 0, "the app outlived its Redis");

        await engine.docker(["stop", "--time", "15", await stack.container("waxseal")]);
        assert.equal((await stack.inspect("waxseal")).State.ExitCode, 0);
      });
    });

    it("keeps Redis to itself: no way in, nothing on disk, nothing left over, no password to be seen", async (t) => {
      await withStack(t, [], {}, async (stack) => {
        const redis = await stack.container("redis");
        const state = await stack.inspect("redis");
        const project = Object.keys(state.NetworkSettings.Networks)[0]?.replace(/_store$/, "") ?? "";
        assert.deepEqual(Object.keys(state.NetworkSettings.Networks), [`${project}_store`]);
        const ip = state.NetworkSettings.Networks[`${project}_store`]?.IPAddress ?? "";

        // The control comes first: from its own network Redis does answer.
        assert.equal(await acceptsFrom(`${project}_store`, ip, 6379), true);
        assert.equal(await acceptsFrom(`${project}_store`, "redis", 6379), true);
        assert.equal(await acceptsFrom(`${project}_outside`, ip, 6379), false);
        assert.equal(await acceptsFrom(`${project}_outside`, "redis", 6379), false);
        assert.deepEqual(state.HostConfig.PortBindings ?? {}, {});
        assert.equal(await accepts("127.0.0.1", 6379), false);

        const url = (await engine.docker(["exec", redis, "cat", "/run/waxseal/redis.url"])).stdout.trim();
        const password = /^redis:\/\/waxseal:([0-9a-f]{64})@redis:6379\/0$/.exec(url)?.[1] ?? "";
        assert.notEqual(password, "");
        const asApp = { name: "waxseal", password };
        const refused = [
          "MONITOR",
          "CONFIG GET *",
          "DEBUG JMAP",
          "KEYS *",
          "SCAN 0",
          "SLOWLOG GET",
          "ACL LIST",
          "FLUSHALL",
          "SAVE",
          "CLIENT LIST",
          "MODULE LIST",
          "SHUTDOWN",
          "REPLICAOF NO ONE",
          "SCRIPT FLUSH",
          "MEMORY DOCTOR",
          "SUBSCRIBE x",
          "GET other",
          "SET other 1",
        ];
        for (const command of refused) {
          assert.match(await redisCommand(engine, redis, command, asApp), /^NOPERM/, command);
          assert.match(
            await redisCommand(engine, redis, command),
            /^NOPERM/,
            `${command} without a password`,
          );
        }
        assert.equal(await redisCommand(engine, redis, "SET ws:probe 1", asApp), "OK");
        assert.match(await redisCommand(engine, redis, "GET ws:probe"), /^NOPERM/);

        const info = await redisCommand(engine, redis, "INFO", asApp);
        assert.match(info, /maxmemory_policy:noeviction/);
        assert.match(info, /maxmemory:402653184/);
        assert.match(info, /aof_enabled:0/);
        assert.match(info, /rdb_last_bgsave_time_sec:-1/);
        assert.doesNotMatch(await stack.logs("redis"), /Invalid conf/, "the allocator took its setting");

        const pid = state.State.Pid;
        assert.match(readFileSync(`/proc/${pid}/limits`, "utf8"), /^Max core file size\s+0\s+0/m);
        const mounts = readFileSync(`/proc/${pid}/mounts`, "utf8")
          .split("\n")
          .map((line) => line.split(" "));
        const writable = mounts.filter(([, , , options]) => options?.startsWith("rw"));
        const kinds = new Set(writable.map(([, , kind]) => kind));
        for (const kind of kinds) {
          assert.ok(
            ["tmpfs", "proc", "mqueue", "devpts", "cgroup2", "sysfs"].includes(kind ?? ""),
            `${kind} is writable`,
          );
        }
        assert.equal(mounts.find(([, path]) => path === "/run/waxseal")?.[2], "tmpfs");

        // Nobody who may list processes, read their environment or inspect the containers learns it.
        const ids = (await engine.docker(["ps", "--quiet"])).stdout.trim().split("\n");
        assert.ok(!(await engine.docker(["inspect", ...ids])).stdout.includes(password));
        for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
          for (const file of ["cmdline", "environ"]) {
            let text = "";
            try {
              text = readFileSync(`/proc/${entry}/${file}`, "latin1");
            } catch {} // It has ended meanwhile.
            assert.ok(!text.includes(password), `/proc/${entry}/${file}`);
          }
        }
        for (const service of ["waxseal", "redis"])
          assert.ok(!(await stack.logs(service)).includes(password));
      });
    });

    it("limits both: memory without swap, processes, capabilities, log size", async (t) => {
      await withStack(t, [], {}, async (stack) => {
        for (const service of ["waxseal", "redis"]) {
          const { HostConfig, Config, State } = await stack.inspect(service);
          assert.ok(HostConfig.Memory > 0);
          assert.equal(HostConfig.MemorySwap, HostConfig.Memory);
          assert.ok(HostConfig.PidsLimit > 0);
          assert.equal(HostConfig.ReadonlyRootfs, true);
          assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
          assert.ok(HostConfig.SecurityOpt.some((option) => option.startsWith("no-new-privileges")));
          assert.equal(HostConfig.RestartPolicy.Name, "unless-stopped");
          assert.ok(HostConfig.LogConfig.Config["max-size"]);
          assert.match(Config.User, /^[1-9]\d*:[1-9]\d*$/);
          assert.match(readFileSync(`/proc/${State.Pid}/status`, "utf8"), /^NoNewPrivs:\t1$/m);
          const usage = await engine.docker([
            "stats",
            "--no-stream",
            "--format",
            "{{.MemUsage}}",
            await stack.container(service),
          ]);
          t.diagnostic(`${service} idle: ${usage.stdout.trim()}`);
        }
      });
    });

    it("takes a password from a file instead", async (t) => {
      const file = join(work, "password");
      writeFileSync(file, "chosen-by-the-operator_1\n", { mode: 0o444 });
      await withStack(t, ["password-file.yaml"], { REDIS_PASSWORD_FILE: file }, async (stack) => {
        const redis = await stack.container("redis");
        const user = { name: "waxseal", password: "chosen-by-the-operator_1" };
        assert.equal(await redisCommand(engine, redis, "PING", user), "PONG");
        await stack.healthy("waxseal");
      });
    });
  });

  describe("with TLS", () => {
    before(() => makeCertificate(work));

    for (const [name, more] of [
      ["tls.yaml", {}],
      ["tls-self-signed.yaml", {}],
    ] as const) {
      it(`serves https by itself and redirects plain http (${name})`, async (t) => {
        const [https, http] = [await freePort(), await freePort()];
        const publicUrl = `https://localhost:${https}`;
        const env = {
          ...more,
          PUBLIC_URL: publicUrl,
          TLS_FOLDER: work,
          HTTPS_PORT: String(https),
          HTTP_PORT: String(http),
        };
        await withStack(t, [name], env, async () => {
          const text = `over TLS ${Math.random()}`;
          assert.ok((await openLink(browser, await createLink(browser, publicUrl, text))).includes(text));
          const redirected = await fetch(`http://localhost:${http}/s`, { redirect: "manual" });
          assert.ok([301, 307, 308].includes(redirected.status));
          assert.equal(redirected.headers.get("location"), `${publicUrl}/s`);
        });
      });
    }

    it("works behind nginx, under a path of its own", async (t) => {
      const [https, http] = [await freePort(), await freePort()];
      const publicUrl = `https://localhost:${https}/waxseal`;
      const env = {
        PUBLIC_URL: publicUrl,
        TLS_FOLDER: work,
        HTTPS_PORT: String(https),
        HTTP_PORT: String(http),
      };
      await withStack(t, ["proxy-nginx.yaml"], env, async (stack) => {
        await readableTimes("nginx", () => head(publicUrl));
        const text = `behind nginx ${Math.random()}`;
        const link = await createLink(browser, publicUrl, text);
        assert.ok(link.startsWith(`${publicUrl}/s#`));
        // A proxy must find the app again when it comes back at another address.
        await engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        await stack.healthy("waxseal");
        assert.ok((await openLink(browser, link)).includes(text));
        assert.doesNotMatch(await stack.logs("nginx"), /GET|POST/, "who came when is not written down");
      });
    });

    it("works behind Caddy", async (t) => {
      const [https, http] = [await freePort(), await freePort()];
      // Caddy answers for names, not ports: the browser is sent to the published one by PUBLIC_URL alone.
      const env = { WAXSEAL_DOMAIN: "localhost", HTTPS_PORT: String(https), HTTP_PORT: String(http) };
      await withStack(t, ["proxy-caddy.yaml"], env, async (stack) => {
        const answer = await readableTimes("caddy", () => head(`https://localhost:${https}/`));
        assert.equal(answer.status, 200);
        assert.doesNotMatch(await stack.logs("caddy"), /"GET"|"POST"/);
      });
    });
  });

  describe("with more than one Redis", () => {
    it("keeps secrets across a restart of the durable Redis, and ends them with the keyring", async (t) => {
      await withStack(t, ["durable.yaml"], {}, async (stack, address) => {
        const text = `durable ${Math.random()}`;
        const kept = await createLink(browser, address, text);
        const lost = await createLink(browser, address, `lost ${Math.random()}`);
        await sleep(1100); // The append-only file is written once a second.
        await engine.docker(["restart", "--time", "5", await stack.container("redis")]);
        await stack.healthy("redis");
        assert.ok((await openLink(browser, kept)).includes(text));
        await engine.docker(["restart", "--time", "5", await stack.container("keyring")]);
        await stack.healthy("keyring");
        assert.match(await endBehind(browser, lost), /can't find|lost/i);
      });
    });

    it("hands over a secret after its master was lost, and an empty master does not empty the rest", async (t) => {
      await withStack(t, ["sentinel.yaml"], {}, async (stack, address) => {
        const text = `survived ${Math.random()}`;
        const link = await createLink(browser, address, text);
        await engine.docker(["restart", "--time", "0", await stack.container("redis")]);
        const sentinel = await stack.container("sentinel-1");
        await readableTimes("another master", async () => {
          const asked = await engine.docker([
            ...[
              "exec",
              sentinel,
              "redis-cli",
              "-p",
              "26379",
              "sentinel",
              "get-master-addr-by-name",
              "waxseal",
            ],
          ]);
          assert.match(asked.stdout, /^redis-[23]\n/);
        });
        await readableTimes("ready again", () => fetch(`${address}/readyz`).then(({ ok }) => assert.ok(ok)));
        assert.ok((await openLink(browser, link)).includes(text));
        const again = `again ${Math.random()}`;
        const next = await readableTimes("replicas again", () => createLink(browser, address, again));
        assert.ok((await openLink(browser, next)).includes(again));
      });
    });
  });

  describe("deploy/air-gap.sh", () => {
    it("saves images and chart into one archive and loads them where neither was known", async (t) => {
      const archive = join(work, "waxseal.tar");
      const inspect = (tag: string) => engine.docker(["image", "inspect", "--format", "{{.Id}}", tag]);
      const original = (await inspect(image)).stdout;
      const script = join(repository, "deploy/air-gap.sh");
      const saved = await run("sh", [script, "save", archive], { env: engine.env, cwd: work });
      t.diagnostic(saved.stdout.trim());
      await engine.docker(["tag", image, "waxseal-kept:1"]);
      await engine.docker(["image", "rm", image]);
      const folder = mkdtempSync(join(work, "far-"));
      const carried = await run("tar", ["-xOf", archive, "waxseal/deploy/air-gap.sh"]);
      writeFileSync(join(folder, "load.sh"), carried.stdout);
      await run("sh", ["load.sh", "load", archive], { env: engine.env, cwd: folder });
      assert.equal((await inspect(image)).stdout, original);
      for (const file of ["compose.yaml", "deploy/compose/redis-start.sh", "deploy/chart/Chart.yaml"]) {
        assert.equal(
          readFileSync(join(folder, "waxseal", file), "utf8"),
          readFileSync(join(repository, file), "utf8"),
          file,
        );
      }
    });
  });
});
