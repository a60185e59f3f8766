import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SENTINEL_COMMANDS } from "../store/redis-commands.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { driveEveryFlow, findNeedles } from "../testing/every-flow.ts";
import { freePort } from "../testing/free-port.ts";
import { memoryFolder } from "../testing/memory-folder.ts";
import { NO_FAILOVER, startCluster, tlsArgs } from "../testing/redis-cluster.ts";
import { startRedis, type TestRedis } from "../testing/redis-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { launchServer, startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const PASSWORD = "pa55word @/?#% of redis";
const SENTINEL_PASSWORD = "pa55word-of-sentinel";
const NAME = "redis.example.org";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const dir = memoryFolder("topologies");
cleanUps.push(() => rmSync(dir, { recursive: true }));
// Good for a name that no connection uses: only REDIS_SERVER_NAME makes it right.
const certificates = makeCertificates(dir, `DNS:${NAME}`);

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}
const passwordFile = file("password", `${PASSWORD}\n`);

async function redis(...args: string[]): Promise<TestRedis> {
  const server = await startRedis(...args);
  cleanUps.push(() => server.stop());
  return server;
}

/** The app's user. The test's own, the default one, needs no password. */
const USER = ["--user", "app", "on", `>${PASSWORD}`, "~*", "&*", "+@all"];
const SIGN_IN = { REDIS_USERNAME: "app", REDIS_PASSWORD_FILE: passwordFile };
const TLS = {
  REDIS_CA_FILE: certificates.files.ca,
  REDIS_CERT_FILE: certificates.files.cert,
  REDIS_KEY_FILE: certificates.files.key,
  REDIS_SERVER_NAME: NAME,
};

/** All keys on those nodes, in their databases. */
async function keysOf(nodes: readonly TestRedis[], database = 0): Promise<string[]> {
  const clients = await Promise.all(nodes.map((node) => node.client({ db: database })));
  return (await Promise.all(clients.map((client) => client.keys("*")))).flat();
}

/**
 * The built program starts on such a Redis, does all it can do, counts its limits there and signs in
 * with its own user everywhere.
 */
async function serves(
  nodes: readonly TestRedis[],
  environment: Readonly<Record<string, string>>,
  { database = 0, prefix = "" } = {},
): Promise<string> {
  const server = await startServer({ LOG_LEVEL: "trace", ...environment });
  try {
    const needles = await driveEveryFlow(server.url);
    const keys = await keysOf(nodes, database);
    assert.ok(keys.some((key) => key.endsWith(":record")));
    assert.ok(keys.some((key) => key.includes("ws:limit:")));
    for (const key of keys.filter((name) => name.includes("ws:")))
      assert.ok(key.startsWith(`${prefix}ws:`), key);
    for (const node of nodes) {
      const list = String(await (await node.client()).client("LIST")).split("\n");
      for (const line of list.filter((entry) => entry.includes("waxseal"))) assert.match(line, /user=app /);
    }
    server.signal("SIGINT");
    assert.equal(await server.ended, 0);
    assert.deepEqual(findNeedles(server.output(), needles), []);
    assert.doesNotMatch(server.output(), /pa55word/);
    return server.output();
  } finally {
    await server.stop();
  }
}

describe("The built server, with its password in a file,", () => {
  it("serves on a socket, in a database and under a prefix of its own", async () => {
    const socket = join(dir, "redis.sock");
    const node = await redis("--unixsocket", socket, ...USER);
    const output = await serves(
      [node],
      { REDIS_URL: `unix:${socket}?database=2`, REDIS_KEY_PREFIX: "team-a:", ...SIGN_IN },
      { database: 2, prefix: "team-a:" },
    );
    assert.match(output, /\(Redis at .*redis\.sock\)/);
    assert.deepEqual(await keysOf([node]), []);
  });

  it("serves over TLS with a private authority, a client certificate and another server name", async () => {
    const port = await freePort();
    const node = await redis(...tlsArgs(certificates, port), ...USER);
    await serves([node], { REDIS_URL: `rediss://127.0.0.1:${port}`, ...SIGN_IN, ...TLS });
  });

  it("serves through Sentinels with a password of their own, over TLS, waiting for a replica", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const tls = (port: number) => [...tlsArgs(certificates, port), "--tls-replication", "yes"];
    const master = await redis(...tls(ports[0]), ...USER);
    const replica = await redis(...tls(ports[1]), ...USER, "--replicaof", "127.0.0.1", String(ports[0]));
    const admin = await replica.client();
    await until(async () => (await admin.info("replication")).includes("master_link_status:up"));
    const sentinelPorts = await Promise.all(
      ["one", "two", "three"].map(async (name) => {
        const port = await freePort();
        const lines = [
          // The default user is for the Sentinels among themselves.
          `requirepass ${SENTINEL_PASSWORD}`,
          `user app on >${SENTINEL_PASSWORD} resetchannels -@all ${SENTINEL_COMMANDS.map((it) => `+${it}`).join(" ")}`,
          `sentinel sentinel-pass ${SENTINEL_PASSWORD}`,
          `sentinel monitor wax 127.0.0.1 ${ports[0]} 2`,
          "",
        ];
        await redis(file(`${name}.conf`, lines.join("\n")), "--sentinel", ...tls(port));
        return port;
      }),
    );
    const hosts = sentinelPorts.map((port) => `127.0.0.1:${port}`).join(",");
    await serves([master], {
      REDIS_URL: `rediss+sentinel://${hosts}/wax`,
      REDIS_SENTINEL_USERNAME: "app",
      REDIS_SENTINEL_PASSWORD_FILE: file("sentinel-password", SENTINEL_PASSWORD),
      REDIS_WAIT_REPLICAS: "1",
      REDIS_WAIT_TIMEOUT: "1s",
      ...SIGN_IN,
      ...TLS,
    });
  });

  it("serves on a Cluster of six nodes over TLS, under a prefix", async () => {
    const cluster = await startCluster({ replicas: 1, certificates, args: USER, nodeTimeout: NO_FAILOVER });
    cleanUps.push(() => cluster.stop());
    const hosts = cluster.ports.slice(0, 3).map((port) => `127.0.0.1:${port}`);
    const dead = `no-such-host.invalid:${cluster.ports[0]}`;
    const environment = {
      REDIS_URL: `rediss+cluster://${[dead, ...hosts].join(",")}`,
      REDIS_KEY_PREFIX: "team-b:",
      ...SIGN_IN,
      ...TLS,
    };
    const output = await serves(cluster.nodes, environment, { prefix: "team-b:" });
    assert.match(output, /\(Redis Cluster, by the nodes at /);
  });

  it("says which node of a Cluster is away and when it is back, and serves what lies elsewhere", async () => {
    const cluster = await startCluster({ nodeTimeout: NO_FAILOVER });
    cleanUps.push(() => cluster.stop());
    for (const node of cluster.nodes)
      await (await node.client()).config("SET", "cluster-require-full-coverage", "no");
    const server = await startServer({
      REDIS_URL: `redis+cluster://${cluster.ports.map((port) => `127.0.0.1:${port}`).join(",")}`,
      RATE_LIMIT_CREATE: "1000000/1m",
    });
    cleanUps.push(() => server.stop());
    const create = async () => {
      const body = JSON.stringify((await sealSecret()).body);
      const headers = { "Content-Type": "application/json" };
      return (await fetch(`${server.url}/api/v1/secrets`, { method: "POST", headers, body })).status;
    };
    await until(async () => (await create()) === 201);
    const [lost] = cluster.nodes;
    assert.ok(lost);
    const says = (what: string) =>
      server.output().split(`Redis's node 127.0.0.1:${lost.port} is ${what}`).length - 1;
    await lost.kill();
    await until(async () => [201, 503].includes(await create()) && says("away") >= 1);
    await lost.restart();
    await until(async () => (await create()) === 201 && says("back") >= 1);
  });

  it("says what to correct where the address is another kind of Redis, or a password is wrong", async () => {
    const plain = await redis(...USER);
    const cluster = await startCluster({ nodeTimeout: NO_FAILOVER });
    cleanUps.push(() => cluster.stop());
    const sentinel = await redis(
      file(
        "guarded.conf",
        `requirepass ${SENTINEL_PASSWORD}\nsentinel monitor wax 127.0.0.1 ${plain.port} 1\n`,
      ),
      "--sentinel",
    );
    for (const [environment, words] of [
      [{ REDIS_URL: `redis+cluster://127.0.0.1:${plain.port}` }, /is not a Cluster\. Write redis:\/\//],
      [
        { REDIS_URL: `redis://127.0.0.1:${cluster.ports[0]}` },
        /node of a Cluster\. Write redis\+cluster:\/\//,
      ],
      [
        { REDIS_URL: `redis://127.0.0.1:${sentinel.port}`, REDIS_PASSWORD: SENTINEL_PASSWORD },
        /is a Sentinel\. Write redis\+sentinel:\/\//,
      ],
      [
        {
          REDIS_URL: `redis+sentinel://127.0.0.1:${sentinel.port}/wax`,
          REDIS_SENTINEL_PASSWORD: "pa55word-wrong",
        },
        /Sentinels that refuse the user or the password\. .*REDIS_SENTINEL_PASSWORD/,
      ],
      [{ REDIS_URL: plain.url, REDIS_USERNAME: "app", REDIS_PASSWORD: "pa55word-wrong" }, /REDIS_PASSWORD/],
    ] as const) {
      const server = launchServer(await freePort(), environment);
      assert.equal(await server.ended, 1, server.output());
      assert.match(server.output(), /Waxseal did not start: /);
      assert.match(server.output(), words);
      assert.doesNotMatch(server.output(), /pa55word/);
    }
  });

  it("keeps shares in a keyring with a password of its own", async () => {
    const [node, ring] = [await redis(...USER), await redis("--requirepass", SENTINEL_PASSWORD)];
    const admin = await ring.client({ password: SENTINEL_PASSWORD });
    await serves([node], {
      REDIS_URL: node.url,
      KEYRING_REDIS_URL: ring.url,
      KEYRING_REDIS_PASSWORD_FILE: file("ring", SENTINEL_PASSWORD),
      ...SIGN_IN,
    });
    assert.ok((await admin.info("commandstats")).includes("cmdstat_getex"));
    assert.ok((await keysOf([node])).every((key) => !key.includes(":share:")));
  });
});
