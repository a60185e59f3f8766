import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../testing/free-port.ts";
import { until } from "../../testing/until.ts";

/** A Redis as compose starts it: deploy/compose/redis-start.sh itself, with folders and a port of the test's own. */
export interface ComposeRedis {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Everything below it is on this Redis' disk, its log included. */
  readonly disk: string;
  readonly log: string;
  /** What the app is given as REDIS_URL. */
  readonly url: string;
  /** As a user who may do everything, which compose does not have. */
  readonly admin: Redis;
  /** Makes it master, as an operator would by hand. */
  promote(): Promise<void>;
  /** Logs in as that user, as an inline command. */
  readonly login: string;
  stop(): Promise<void>;
}

export interface ComposeRedisOptions {
  readonly name: string;
  readonly host?: string;
  /** Whose address and password: as REDIS_ROLE has it. By default the name. */
  readonly role?: string;
  /** More of what compose puts into the environment of redis-start.sh. */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to redis.conf. */
  readonly conf?: string;
  readonly port?: number;
  /** Where the password is shared, as the volume "address" is. */
  readonly shared?: string;
}

const SCRIPT = new URL("../../../deploy/compose/redis-start.sh", import.meta.url);
/** As in compose.yaml. */
const ALLOCATOR = { JE_MALLOC_CONF: "junk:free", MALLOC_CONF: "junk:free" };

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Throws where a word that is to be replaced isn't there: the script has changed, and this has to follow. */
function replaced(text: string, what: string, by: string): string {
  if (!text.includes(what)) throw new Error(`redis-start.sh holds no ${JSON.stringify(what)} any more.`);
  return text.replaceAll(what, by);
}

export async function startComposeRedis(options: ComposeRedisOptions): Promise<ComposeRedis> {
  const { name, host = "127.0.0.1", env = {}, conf = "", port = await freePort(), role = name } = options;
  const folder = await mkdtemp(join(tmpdir(), `waxseal-forensics-${name}-`));
  const [own, disk] = [join(folder, "own"), join(folder, "disk")];
  const shared = options.shared ?? join(folder, "shared");
  for (const path of [own, disk, shared]) await mkdir(path, { recursive: true });

  let script = await readFile(SCRIPT, "utf8");
  script = replaced(script, "shared=/run/waxseal", `shared=${shared}`);
  script = replaced(script, "own=/tmp", `own=${own}`);
  script = replaced(script, "dir /data", `dir ${disk}`);
  script = replaced(script, "port 6379\n", `port ${port}\nbind ${host}\n${conf}\n`);
  script = replaced(script, "@$role:6379/0", `@${host}:${port}/0`);
  script = script.replaceAll("$master 6379", `$master ${port}`);
  script = replaced(script, 'redis-cli -h "$1"', `redis-cli -p ${port} -h "$1"`);
  const start = 'exec redis-server "$own/redis.conf"';
  script = replaced(
    script,
    start,
    `echo 'user forensics on >forensics ~* &* +@all' >> "$own/users.acl"\n${start}`,
  );
  await writeFile(join(own, "start.sh"), script);

  const log = join(disk, "redis.log");
  const output = openSync(log, "a");
  const run = (...args: string[]) =>
    spawn("sh", [join(own, "start.sh"), ...args], {
      env: { PATH: process.env.PATH, REDIS_ROLE: role, ...ALLOCATOR, ...env },
      stdio: ["ignore", output, output],
    });
  const child = run();
  running.add(child);
  child.once("exit", () => running.delete(child));
  const admin = new Redis({
    host,
    port,
    username: "forensics",
    password: "forensics",
    lazyConnect: true,
    retryStrategy: () => null,
  });
  admin.on("error", () => {}); // told by `connect`
  async function stop(): Promise<void> {
    admin.disconnect();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    closeSync(output);
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error("redis-start.sh ended.");
      return admin.connect().then(
        () => true,
        () => false,
      );
    });
  } catch (cause) {
    const said = await readFile(log, "utf8");
    await stop();
    throw new Error(`Redis did not start. Install it with: apt-get install redis-server. It said: ${said}`, {
      cause,
    });
  }
  const password = (await readFile(join(shared, `${role}.password`), "utf8")).trim();
  return {
    name,
    host,
    port,
    pid: child.pid ?? 0,
    disk,
    log,
    url: `redis://waxseal:${password}@${host}:${port}/0`,
    admin,
    promote: async () => void (await once(run("promote"), "exit")),
    login: "AUTH forensics forensics",
    stop,
  };
}
