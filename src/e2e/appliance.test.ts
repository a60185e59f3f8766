// The appliance as an operator gets it: the image is built, the compose file is brought up on a real
// engine, and a browser creates and opens secrets through it. What the overlays add is tested in
// docker/overlays.test.ts.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { freePort } from "../testing/free-port.ts";
import { type Engine, temporary } from "./docker/engine.ts";
import { describeLayers, differences, imageLayers, type Layer } from "./docker/image-layers.ts";
import { createLink, endBehind, openLink } from "./docker/person.ts";
import { builtAt, eventually, image, node, type Rig, startRig } from "./docker/rig.ts";
import { inspectContainer, redisCommand, repository } from "./docker/stack.ts";
import { run } from "./docker/tools.ts";

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
async function acceptsFrom(engine: Engine, network: string, host: string, port: number): Promise<boolean> {
  const program = `const s = require("node:net").connect({ host: ${JSON.stringify(host)}, port: ${port}, timeout: 2000 });
    s.once("connect", () => process.exit(0)); s.once("timeout", () => process.exit(7)); s.once("error", () => process.exit(7));`;
  const ran = await engine.docker(
    ["run", "--rm", "--network", network, "--entrypoint", node, image, "-e", program],
    { mayFail: true },
  );
  assert.ok(ran.code === 0 || ran.code === 7, `the probe itself failed: ${ran.stderr}`);
  return ran.code === 0;
}

describe("the appliance", () => {
  let layers: readonly Layer[];
  let rig: Rig;

  before(async () => {
    rig = await startRig();
    layers = await imageLayers(rig.engine, image);
  });

  after(() => rig?.stop());

  describe("the image", () => {
    it("is the same, file by file, when it is built again and by the other builder", async (t) => {
      const tag = `${temporary}:again`;
      await rig.build(tag, { buildKit: true, cache: false });
      const again = await imageLayers(rig.engine, tag);
      await rig.engine.docker(["image", "rm", tag]);
      assert.deepEqual(differences(layers, again), []);
      t.diagnostic(describeLayers(layers));
    });

    it("holds nothing that is not needed at run time, and nothing that can be changed", () => {
      const files = layers.flatMap((layer) => layer.files);
      const named = (pattern: RegExp) =>
        files.filter(({ path, type }) => type !== "5" && pattern.test(path)).map(({ path }) => path);
      assert.deepEqual(named(/(^|\/)(sh|bash|dash|busybox|npm|npx|apt|apt-get|dpkg|curl|wget|perl)$/), []);
      assert.deepEqual(
        named(
          /\.(ts|mts|cts|map)$|(?<!license)\.md$|\.test\.|(^|\/)(test|tests|e2e|bench|\.git|\.npmrc)(\/|$)/i,
        ),
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
        files.filter(({ modified }) => modified !== builtAt),
        [],
      );
    });

    it("starts as a numeric user, without a shell, and says what it is", async () => {
      const [{ Config }] = JSON.parse((await rig.engine.docker(["image", "inspect", image])).stdout) as [
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
      const started = await rig.engine.docker([
        ...["run", "--detach", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
        ...["--user", `${uid}:0`, "--memory", "256m", "--network", "none"],
        ...["--env", `PUBLIC_URL=http://localhost:${port}`, image],
      ]);
      const id = started.stdout.trim();
      try {
        await eventually("ready", () =>
          rig.engine.docker(["exec", id, node, "/app/dist/server.js", "healthcheck"]),
        );
        t.diagnostic(`ready ${((Date.now() - began) / 1000).toFixed(1)} s after docker run`);
        const { State } = await inspectContainer(rig.engine, id);
        const status = readFileSync(`/proc/${State.Pid}/status`, "utf8");
        assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t`, "m"));
        assert.match(status, /^CapEff:\t0+$/m);
        assert.match(readFileSync(`/proc/${State.Pid}/cmdline`, "utf8"), /^\/usr\/local\/bin\/node\0/);
        const program =
          'for (const f of ["/x", "/app/x", "/app/dist/x", "/etc/x", "/usr/x"]) { try { require("fs").writeFileSync(f, ""); console.log(f) } catch (e) { if (e.code !== "EROFS") console.log(f, e.code) } }';
        assert.equal((await rig.engine.docker(["exec", "--user", "0", id, node, "-e", program])).stdout, "");
        const stopping = Date.now();
        await rig.engine.docker(["stop", "--time", "15", id]);
        const stopped = await inspectContainer(rig.engine, id);
        assert.equal(stopped.State.ExitCode, 0);
        assert.ok(
          Date.now() - stopping < 10_000,
          "SIGTERM must end it by itself, not the rig.engine's patience",
        );
        const changed = (await rig.engine.docker(["diff", id])).stdout;
        assert.equal(changed, "", "nothing was written anywhere");
      } finally {
        await rig.engine.docker(["rm", "--force", id]);
      }
    });
  });

  describe("compose.yaml", () => {
    it("hands over a secret, keeps it across the app's restarts, and loses it honestly with Redis", async (t) => {
      await rig.withStack(t, [], {}, async (stack, address) => {
        const first = `first ${Math.random()}`;
        assert.ok(
          (await openLink(rig.browser, await createLink(rig.browser, address, first))).includes(first),
        );

        const kept = `kept ${Math.random()}`;
        const keptLink = await createLink(rig.browser, address, kept);
        const lostLink = await createLink(rig.browser, address, `lost ${Math.random()}`);
        await rig.engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        await stack.ready();
        assert.ok((await openLink(rig.browser, keptLink)).includes(kept));

        await rig.engine.docker(["restart", "--time", "5", await stack.container("redis")]);
        await stack.healthy("redis");
        assert.match(await endBehind(rig.browser, lostLink), /can't find|lost/i);
        const afterwards = `afterwards ${Math.random()}`;
        assert.ok(
          (await openLink(rig.browser, await createLink(rig.browser, address, afterwards))).includes(
            afterwards,
          ),
        );
        const state = await stack.inspect("waxseal");
        assert.equal(state.RestartCount, 0, "the app outlived its Redis");

        await rig.engine.docker(["stop", "--time", "15", await stack.container("waxseal")]);
        assert.equal((await stack.inspect("waxseal")).State.ExitCode, 0);
      });
    });

    it("is found in good order by the doctor, run as the README says", async (t) => {
      await rig.withStack(t, [], {}, async (stack) => {
        const said = await eventually("the doctor", async () => {
          const ran = await stack.doctor(["--url", "http://localhost:8080"]);
          assert.equal(ran.code, 0, ran.stdout);
          assert.match(ran.stdout, /^ok +round trip: /m);
          assert.doesNotMatch(ran.stdout, /^(problem|warning) /m);
          return ran.stdout;
        });
        t.diagnostic(said);
      });
    });

    it("keeps Redis to itself and both within limits, with no password to be seen anywhere", async (t) => {
      await rig.withStack(t, [], {}, async (stack) => {
        const redis = await stack.container("redis");
        const state = await stack.inspect("redis");
        const project = Object.keys(state.NetworkSettings.Networks)[0]?.replace(/_store$/, "") ?? "";
        assert.deepEqual(Object.keys(state.NetworkSettings.Networks), [`${project}_store`]);
        const ip = state.NetworkSettings.Networks[`${project}_store`]?.IPAddress ?? "";

        // The control comes first: from its own network Redis does answer.
        for (const host of [ip, "redis"]) {
          await eventually(host, async () =>
            assert.equal(await acceptsFrom(rig.engine, `${project}_store`, host, 6379), true),
          );
        }
        assert.equal(await acceptsFrom(rig.engine, `${project}_outside`, ip, 6379), false);
        assert.equal(await acceptsFrom(rig.engine, `${project}_outside`, "redis", 6379), false);
        assert.deepEqual(state.HostConfig.PortBindings ?? {}, {});
        assert.equal(await accepts("127.0.0.1", 6379), false);

        const url = (await rig.engine.docker(["exec", redis, "cat", "/run/waxseal/redis.url"])).stdout.trim();
        const password = /^redis:\/\/waxseal:([0-9a-f]{64})@redis:6379\/0$/.exec(url)?.[1] ?? "";
        assert.notEqual(password, "");
        const asApp = { name: "waxseal", password };
        const refused = [
          ...[
            "MONITOR",
            "CONFIG GET *",
            "DEBUG JMAP",
            "KEYS *",
            "SCAN 0",
            "SLOWLOG GET",
            "ACL LIST",
            "FLUSHALL",
          ],
          ...["SAVE", "CLIENT LIST", "MODULE LIST", "REPLICAOF NO ONE", "SCRIPT FLUSH", "MEMORY DOCTOR"],
          ...["SUBSCRIBE x", "GET other", "SET other 1", "SHUTDOWN NOSAVE"],
        ];
        for (const user of [asApp, undefined]) {
          const said = (await redisCommand(rig.engine, redis, refused.join("\n"), user)).split(/\n+/);
          assert.equal(said.length, refused.length);
          for (const [index, command] of refused.entries()) {
            // DEBUG and MODULE are switched off even before anybody's rights are looked at.
            const forbidden = /^(NOPERM|NOAUTH|ERR (DEBUG|MODULE) command not allowed)/;
            assert.match(said[index] ?? "", forbidden, `${command} as ${user?.name ?? "nobody"}`);
          }
        }
        assert.equal(await redisCommand(rig.engine, redis, "SET ws:probe 1", asApp), "OK");
        assert.match(await redisCommand(rig.engine, redis, "GET ws:probe"), /^NOAUTH/);
        const asHealth = { name: "health", password: "-" };
        assert.match(await redisCommand(rig.engine, redis, "GET ws:probe", asHealth), /^NOPERM/);

        const info = await redisCommand(rig.engine, redis, "INFO", asApp);
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
        const ids = (await rig.engine.docker(["ps", "--quiet"])).stdout.trim().split("\n");
        assert.ok(!(await rig.engine.docker(["inspect", ...ids])).stdout.includes(password));
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

        // Both are limited: memory without swap, processes, capabilities, log size.
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
          await stack.healthy(service);
          assert.match(readFileSync(`/proc/${State.Pid}/status`, "utf8"), /^NoNewPrivs:\t1$/m);
          const usage = await rig.engine.docker([
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
  });

  describe("deploy/air-gap.sh", () => {
    it("saves images and chart into one archive and loads them where neither was known", async (t) => {
      const archive = join(rig.work, "waxseal.tar");
      const inspect = (tag: string) => rig.engine.docker(["image", "inspect", "--format", "{{.Id}}", tag]);
      const original = (await inspect(image)).stdout;
      const script = join(repository, "deploy/air-gap.sh");
      const saved = await run("sh", [script, "save", archive], { env: rig.engine.env, cwd: rig.work });
      t.diagnostic(saved.stdout.trim());
      await rig.engine.docker(["tag", image, `${temporary}:kept`]);
      await rig.engine.docker(["image", "rm", image]);
      const folder = mkdtempSync(join(rig.work, "far-"));
      const carried = await run("tar", ["-xOf", archive, "waxseal/deploy/air-gap.sh"]);
      writeFileSync(join(folder, "load.sh"), carried.stdout);
      await run("sh", ["load.sh", "load", archive], { env: rig.engine.env, cwd: folder });
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
