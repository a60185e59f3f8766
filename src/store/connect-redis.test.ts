import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { inspect } from "node:util";
import type { RedisTls } from "../config/config.ts";
import { parseRedisUrl } from "../config/redis-url.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { freePort } from "../testing/free-port.ts";
import { memoryFolder } from "../testing/memory-folder.ts";
import { makePatient } from "../testing/open-redis-store.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { until } from "../testing/until.ts";
import { connectRedis, openRedis } from "./connect-redis.ts";
import type { RedisFault } from "./redis-faults.ts";
import { StorePreconditionError, StoreUnavailableError } from "./store.ts";

const PASSWORD = "correct horse battery";
const NO_TLS: RedisTls = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});
async function redis(...args: string[]): Promise<TestRedis> {
  const server = await startRedis(...args);
  cleanUps.push(() => server.stop());
  return server;
}

function connect(url: string, tls: RedisTls = NO_TLS, onFault?: (fault: RedisFault) => void) {
  const client = connectRedis({ address: parseRedisUrl(url), tls, onFault });
  cleanUps.push(() => client.disconnect());
  return client;
}

/** What it fails with; whatever that shows, the password is not in it. */
async function failure(url: string, tls?: RedisTls): Promise<Error> {
  const faults: RedisFault[] = [];
  const client = connect(url, tls, (fault) => faults.push(fault));
  const error = await openRedis(client).then(
    () => assert.fail("it connected"),
    (reason: unknown) => reason,
  );
  client.disconnect();
  assert(error instanceof Error);
  for (const shown of [error, ...faults]) {
    const everything = inspect(shown, { depth: 10, showHidden: true });
    assert(!everything.includes(PASSWORD) && !everything.includes(encodeURIComponent(PASSWORD)));
  }
  return error;
}

const credentials = `app:${encodeURIComponent(PASSWORD)}@`;

describe("A connection to Redis", () => {
  it("says its name, uses the database of its address, and fails commands at once until it is open", async () => {
    const server = await redis();
    const client = connect(`${server.url}/3`);
    assert.equal(client.status, "wait");
    await assert.rejects(client.ping());
    await openRedis(client);
    await openRedis(client);
    const list = await client.client("LIST");
    assert.match(String(list), /name=waxseal .*db=3/);
  });

  it("signs in with user and password, and says what to correct where they are refused", async () => {
    const server = await redis(
      "--user",
      "app",
      "on",
      `>${PASSWORD}`,
      "~*",
      "+@all",
      "--user",
      "default",
      "off",
    );
    const client = connect(server.url.replace("//", `//${credentials}`));
    await openRedis(client);
    assert.equal(await client.acl("WHOAMI"), "app");
    for (const url of [server.url, server.url.replace("//", `//${credentials.replace("app", "other")}`)]) {
      const error = await failure(url);
      assert(error instanceof StorePreconditionError);
      assert.match(error.message, /^Redis refuses the user or the password/);
    }
  });

  it("says that nobody answers, without the address's password", async () => {
    const error = await failure(`redis://${credentials}127.0.0.1:${await freePort()}`);
    assert(error instanceof StoreUnavailableError);
    assert.match(String(error.cause), /ECONNREFUSED/);
  });

  it("tells of faults as long as nobody answers, and comes up by itself", async () => {
    const server = await redis();
    await server.kill();
    const faults: string[] = [];
    const client = makePatient(connect(server.url, NO_TLS, ({ code }) => faults.push(code)));
    await assert.rejects(openRedis(client), StoreUnavailableError);
    await server.restart();
    await until(() => client.status === "ready");
    assert(faults.every((code) => code === "ECONNREFUSED"));
    assert.equal(await client.ping(), "PONG");
  });

  it("speaks TLS, by name and by address, with a certificate of its own where Redis wants one", async () => {
    const dir = mkdtempSync(join(tmpdir(), "waxseal-tls-"));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const { ca, cert, key, files } = makeCertificates(dir);
    const port = await freePort();
    const paths = [
      "--tls-cert-file",
      files.cert,
      "--tls-key-file",
      files.key,
      "--tls-ca-cert-file",
      files.ca,
    ];
    await redis("--tls-port", String(port), ...paths, "--tls-auth-clients", "yes");
    for (const host of ["localhost", "127.0.0.1"]) {
      const client = connect(`rediss://${host}:${port}`, { ...NO_TLS, ca, cert, key });
      await openRedis(client);
      assert.equal(await client.ping(), "PONG");
    }
    const unknown = await failure(`rediss://${credentials}localhost:${port}`);
    assert(unknown instanceof StorePreconditionError);
    assert.match(unknown.message, /certificate that is not trusted. Set REDIS_CA_FILE/);
  });

  it("finds the master through Sentinels, and the new one after a failover", async () => {
    const master = await redis();
    const replica = await redis("--replicaof", "127.0.0.1", String(master.port));
    const admin = await replica.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    const dir = memoryFolder("sentinel");
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const file = join(dir, "sentinel.conf");
    await writeFile(
      file,
      [
        `sentinel monitor wax 127.0.0.1 ${master.port} 1`,
        "sentinel down-after-milliseconds wax 300",
        "sentinel failover-timeout wax 3000",
        "",
      ].join("\n"),
    );
    const sentinel = await redis(file, "--sentinel");
    const client = connect(`redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}/wax`);
    await openRedis(client);
    await client.set("key", "value");
    assert.equal(await (await master.client()).get("key"), "value");
    const sentinelAdmin = await sentinel.client();
    await until(async () => (await sentinelAdmin.info("sentinel")).includes("slaves=1"));
    await master.kill();
    await until(() =>
      client.set("key", "after").then(
        () => true,
        () => false,
      ),
    );
    assert.equal(await admin.get("key"), "after");
  });
});
