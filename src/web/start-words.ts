import type { Config } from "../config/config.ts";
import { formatDuration } from "../config/units.ts";

/** Names of this machine, on which browsers allow encryption over plain http. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function hostAndPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Without user and password. */
function describeStore({ redis }: Config): string {
  if (redis === undefined) return "embedded store: secrets live in this process and end with it";
  if (redis.kind === "single") return `Redis at ${hostAndPort(redis.host, redis.port)}`;
  if (redis.kind === "unix") return `Redis at ${redis.path}`;
  const hosts = redis.kind === "cluster" ? redis.nodes : redis.sentinels;
  const list = hosts.map(({ host, port }) => hostAndPort(host, port)).join(", ");
  if (redis.kind === "cluster") return `Redis Cluster, by the nodes at ${list}`;
  return `Redis ${redis.masterName}, by the Sentinels at ${list}`;
}

/** The one line that says that it runs. */
export function describeStart(config: Config): string {
  const { publicUrl, host, port, tls } = config;
  const address = publicUrl.href.replace(/\/$/, "");
  const direct = publicUrl.hostname === "localhost" && publicUrl.port === String(port);
  const scheme = tls.kind === "off" ? "" : "https://";
  const listening = direct ? "" : `, listening on ${scheme}${hostAndPort(host, port)}`;
  return `Waxseal is ready at ${address}${listening} (${describeStore(config)})`;
}

/** A range that holds everybody of one family, where the other has none: its clients get more than was meant. */
export function describeNetworkDoubts({ maxTtlByNetwork, maxTtl }: Config): string[] {
  const everybody = ["0.0.0.0/0", "::/0"];
  const named = everybody.filter((range) => maxTtlByNetwork.some(({ network }) => network === range));
  const [missing] = everybody.filter((range) => !named.includes(range));
  if (named.length !== 1 || missing === undefined) return [];
  return [
    `MAX_TTL_BY_NETWORK has ${named[0]} and not ${missing}: clients by the other protocol may choose up to MAX_TTL ` +
      `(${formatDuration(maxTtl)}). Add ${missing} with a time of its own.`,
  ];
}

/** What an operator should know, though it does not keep the service from running. */
export function describeDoubts({ publicUrl }: Config): string[] {
  if (publicUrl.protocol === "https:" || isLocal(publicUrl.hostname)) return [];
  return [
    `PUBLIC_URL is ${publicUrl.origin}: browsers turn off encryption on plain http, so nobody can create or ` +
      "open a secret there. Put an https proxy in front, or serve https from here (TLS_CERT_FILE and TLS_KEY_FILE, " +
      "or TLS=self-signed), and set PUBLIC_URL to the https address.",
  ];
}
