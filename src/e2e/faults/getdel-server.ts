/**
 * The control: the same interface, kept the way most tools keep it. A secret is one value in Redis,
 * opening it is GETDEL, and the Redis client is used as it comes.
 */
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { Cluster, Redis } from "ioredis";
import { decodeBase64url, encodeBase64url } from "../../envelope/base64url.ts";

const { PORT = "", REDIS_URL = "" } = process.env;

/** `redis://host:port`, `redis+sentinel://host:port,…/name` or `redis+cluster://host:port,…` */
function connect(url: string): Redis | Cluster {
  const [, kind, list = "", name = ""] = /^redis(\+\w+)?:\/\/([^/]*)\/?([^?]*)/.exec(url) ?? [];
  const hosts = list.split(",").map((entry) => {
    const [host = "", port = ""] = entry.slice(entry.indexOf("@") + 1).split(":");
    return { host, port: Number(port) };
  });
  const [, username, password] = /^([^:@]*):([^@]*)@/.exec(list) ?? [];
  const user = username === undefined ? {} : { username, password: password ?? "" };
  if (kind === "+sentinel")
    return new Redis({
      sentinels: hosts,
      name,
      ...user,
      sentinelUsername: user.username,
      sentinelPassword: user.password,
    });
  if (kind === "+cluster") return new Cluster(hosts);
  return new Redis({ ...hosts[0], ...user });
}

const redis = connect(REDIS_URL);
redis.on("error", () => {}); // its commands wait, or fail

/** The first sixteen bytes of every token name the secret. */
function idIn({ headers }: IncomingMessage): string {
  const token = (headers.authorization ?? "").slice("Bearer wsl_".length);
  return encodeBase64url((decodeBase64url(token) ?? new Uint8Array(16)).slice(0, 16));
}
/** In the same slot of a Cluster as what ours keeps of it. */
const key = (id: string) => `ws:{${id}}:getdel`;

async function answer(req: IncomingMessage): Promise<[number, object]> {
  if (req.url === "/api/v1/secrets") {
    const { id, share, ttl } = (await json(req)) as { id: string; share: string; ttl: number };
    await redis.set(key(id), share, "EX", ttl);
    return [201, { state: "sealed" }];
  }
  const id = idIn(req);
  if (req.url === "/api/v1/secret/open") {
    const share = await redis.getdel(key(id));
    return share === null ? [404, {}] : [200, { share }];
  }
  return (await redis.exists(key(id))) === 1 ? [200, { state: "sealed" }] : [404, {}];
}

createServer(async (req, res) => {
  const [status, body] = await answer(req).catch((): [number, object] => [503, {}]);
  res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}).listen(Number(PORT), "127.0.0.1", () => process.stdout.write("The control is ready\n"));
