import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { countryDatabase } from "../testing/country-database.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { visit } from "./testing.ts";

let redis: TestRedis;
const servers: ServerProcess[] = [];
before(async () => {
  redis = await startRedis();
});
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await redis.stop();
});

async function start(env: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const server = await startServer(env);
  servers.push(server);
  return { ...env, PORT: String(server.port), PUBLIC_URL: `http://localhost:${server.port}` };
}

/** Round trips aside, whatever it has to say of a Redis or an address that a test uses. */
const about = (worries: readonly string[], name: string) =>
  worries.filter((line) => line.includes(`  ${name}: `));

describe("The doctor, at the database of countries", () => {
  it("says of when it is, and what is wrong with one that can't be used", async () => {
    const dir = mkdtempSync(join(tmpdir(), "waxseal-doctor-access-"));
    try {
      const GEOIP_DB = join(dir, "countries.mmdb");
      writeFileSync(GEOIP_DB, countryDatabase({ "192.0.2.0/24": "DE" }));
      const env = await start({ GEOIP_DB });
      (await visit(env)).says("ok", "countries", /countries by Test-Country of 2026-01-02/);
      writeFileSync(GEOIP_DB, "not a database");
      (await visit(env)).says("problem", "countries", /not a whole database.*Give an \.mmdb file/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("The doctor, where not everybody may create or open", () => {
  it("says what to do on a machine that may not, and looks at all the rest", async () => {
    for (const [setting, text] of [
      [
        "CREATE_ALLOW_CIDRS",
        /this machine may not create there\. Run the doctor on one that CREATE_ALLOW_CIDRS names/,
      ],
      [
        "OPEN_ALLOW_CIDRS",
        /this machine may not open it\. Run the doctor on one that OPEN_ALLOW_CIDRS names/,
      ],
    ] as const) {
      const { code, worries, says } = await visit(await start({ [setting]: "192.0.2.0/24" }));
      says("warning", "round trip", text);
      says("ok", "page", /serves Waxseal/);
      says("ok", "security headers", /as Waxseal sends them/);
      says("ok", "scripts and styles", /as they were built/);
      assert.equal(worries.length, 1);
      assert.equal(code, 0);
    }
  });

  it("seals its secret with a passphrase where one is demanded, whether it knows the setting or not", async () => {
    const env = await start({ REQUIRE_PASSPHRASE: "on" });
    (await visit(env)).says("ok", "round trip", /opened once and read/);
    const { PUBLIC_URL = "" } = env;
    (await visit({}, "--url", PUBLIC_URL)).says("ok", "round trip", /opened once and read/);
  });

  it("goes by way of both instances where each serves half, and says where it has to be run", async () => {
    const open = await start({ REDIS_URL: redis.url, ROLE: "open" });
    const { PUBLIC_URL: LINK_URL = "" } = open;
    const create = await start({ REDIS_URL: redis.url, ROLE: "create", LINK_URL });
    const creating = await visit(create);
    creating.says("ok", "round trip", /opened once and read/);
    assert.deepEqual(about(creating.worries, "page"), []);
    const opening = await visit(open);
    opening.says(
      "skipped",
      "round trip",
      /only opens \(ROLE=open\)\. Run the doctor where secrets are created/,
    );
    opening.says("ok", "page", /serves Waxseal/);
    opening.says("ok", "scripts and styles", /as they were built/);

    const astray = { ...create, LINK_URL: "http://localhost:1" };
    (await visit(astray)).says("problem", "round trip", /localhost:1\/ does not answer: .*Correct LINK_URL/);
    const other = await start({});
    const strange = { ...create, LINK_URL: other.PUBLIC_URL ?? "" };
    (await visit(strange)).says("problem", "round trip", /can't be found at .*same REDIS_URL/);
  });
});
