// The overlays that add more Redis: a keyring beside a durable one, and three nodes with Sentinels.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ANCHORS_KEY } from "../../store/redis-keys.ts";
import { memoryFolder } from "../../testing/memory-folder.ts";
import { createLink, endBehind, openLink } from "./person.ts";
import { eventually, type Rig, startRig } from "./rig.ts";
import { redisCommand } from "./stack.ts";

describe("with more than one Redis", () => {
  let rig: Rig;

  before(async () => {
    rig = await startRig();
  });

  after(() => rig?.stop());

  it("keeps secrets across a restart of the durable Redis, and ends them with the keyring", async (t) => {
    // A disk that is busy with what others wrote may hold this Redis up for longer than Waxseal waits for it.
    const folder = memoryFolder("records");
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const inMemory = join(rig.work, "records-in-memory.yaml");
    const driverOptions = { type: "none", o: "bind", device: folder };
    writeFileSync(inMemory, JSON.stringify({ volumes: { records: { driver_opts: driverOptions } } }));
    await rig.withStack(t, ["durable.yaml", inMemory], {}, async (stack, address) => {
      const text = `durable ${Math.random()}`;
      const kept = await createLink(rig.browser, address, text);
      const lost = await createLink(rig.browser, address, `lost ${Math.random()}`);
      await sleep(1100); // The append-only file is written once a second.
      await rig.engine.docker(["restart", "--time", "5", await stack.container("redis")]);
      await stack.healthy("redis");
      assert.ok((await openLink(rig.browser, kept)).includes(text));
      await rig.engine.docker(["restart", "--time", "5", await stack.container("keyring")]);
      await stack.healthy("keyring");
      assert.match(await endBehind(rig.browser, lost), /can't find|lost/i);
    });
  });

  it("hands over a secret after its master was lost, and an empty master does not empty the rest", async (t) => {
    await rig.withStack(t, ["sentinel.yaml"], {}, async (stack, address) => {
      const text = `survived ${Math.random()}`;
      const link = await createLink(rig.browser, address, text);
      await rig.engine.docker(["restart", "--time", "0", await stack.container("redis")]);
      const sentinel = await stack.container("sentinel-1");
      const ask = (sentinel: string) =>
        rig.engine.docker([
          "exec",
          sentinel,
          "redis-cli",
          "-p",
          "26379",
          "sentinel",
          "get-master-addr-by-name",
          "waxseal",
        ]);
      const master = await eventually("another master", async () => {
        const name = (await ask(sentinel)).stdout.split("\n")[0] ?? "";
        assert.match(name, /^redis-[23]$/);
        return name;
      });
      // Until both replicas are back nothing is handed over: "try again" is the right answer.
      const container = await stack.container(master);
      const password = (
        await rig.engine.docker(["exec", container, "cat", "/run/waxseal/redis.password"])
      ).stdout.trim();
      const user = { name: "waxseal", password };
      await eventually("both replicas", async () => {
        const said = await redisCommand(rig.engine, container, "INFO replication", user);
        assert.equal(said.match(/state=online/g)?.length, 2, said);
      });
      await stack.ready();
      assert.ok((await openLink(rig.browser, link)).includes(text));
      const again = `again ${Math.random()}`;
      const next = await createLink(rig.browser, address, again);
      assert.ok((await openLink(rig.browser, next)).includes(again));
      // At its end it has half a second to keep the place of the trail's last line, which may be too little.
      await eventually("an anchor", async () => {
        await stack.ready();
        await rig.engine.docker(["restart", "--time", "15", await stack.container("waxseal")]);
        const lines = (await stack.logs("waxseal")).split("\n");
        const last = lines.findLast((line) => line.includes('"audit":"trail-ended"')) ?? "{}";
        const { chain, seq } = JSON.parse(last) as { chain?: string; seq?: number };
        const kept = await redisCommand(rig.engine, container, `HGETALL ${ANCHORS_KEY}`, user);
        assert.ok(kept.includes(`${chain}\n${seq} `), `${last}\n${kept}`);
      });
      // What its user may not do, replicas give up in silence but for a line.
      assert.doesNotMatch(await stack.logs("waxseal"), /NOPERM|does not let/);
    });
  });
});
