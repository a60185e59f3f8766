import { ValueError } from "./value-error.ts";

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

interface RedisCommon {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/**
 * One server, at a host or at a socket of this machine; or the Sentinels to ask for the master called
 * `masterName`; or some nodes of a Cluster, which tell of the others.
 */
export type RedisAddress =
  | (RedisCommon & { readonly kind: "single" } & RedisHost)
  | (RedisCommon & { readonly kind: "unix"; readonly path: string })
  | (RedisCommon & {
      readonly kind: "sentinel";
      readonly sentinels: readonly RedisHost[];
      readonly masterName: string;
      readonly sentinelUsername: string | undefined;
      readonly sentinelPassword: string | undefined;
    })
  | (RedisCommon & { readonly kind: "cluster"; readonly nodes: readonly RedisHost[] });

const forms =
  "Write redis://[user:password@]host[:6379][/database], unix:/path/of/the/socket[?database=1], " +
  "redis+sentinel://[user:password@]host[:26379][,host…]/master-name[/database] or " +
  "redis+cluster://[user:password@]host[:6379][,host…]; rediss instead of redis for TLS";

/**
 * The text of REDIS_URL as an address. Hosts may be names, IPv4 or IPv6 in brackets; user, password,
 * master name and path are percent-encoded. User and password are the data nodes'; the Sentinels' own
 * follow as `?sentinel_username=…&sentinel_password=…`. Throws ValueError, whose message never holds
 * any part of the text, since the text holds the password.
 *
 * The platform's URL class does not take several hosts, so the text is read here.
 */
export function parseRedisUrl(text: string): RedisAddress {
  if (text.startsWith("unix:")) return parseUnix(text.slice("unix:".length));
  const match =
    /^(rediss?)(\+sentinel|\+cluster)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(
      text,
    );
  if (match === null)
    throw new ValueError(
      `is not the address of a Redis. ${forms}. Encode @ / ? # in a password as %40 %2F %3F %23.`,
    );
  const [, scheme, kind, credentials = "", authority = "", path = "", query = ""] = match;
  const segments = path === "" ? [] : path.split("/");
  const common = { tls: scheme === "rediss", ...parseCredentials(credentials) };
  if (query !== "" && kind !== "+sentinel")
    throw new ValueError(`has a query, which is not understood. Remove everything from the ? on.`);

  if (kind === "+cluster") {
    if (segments.some((segment) => segment !== ""))
      throw new ValueError(
        "names a database, and a Cluster has only one. Remove everything after the hosts.",
      );
    return { kind: "cluster", ...common, nodes: parseHosts(authority, 6379), database: 0 };
  }

  if (kind === undefined) {
    const [host, ...others] = parseHosts(authority, 6379);
    if (host === undefined || others.length > 0) throw new ValueError(`names several hosts. ${forms}.`);
    if (segments.length > 1) throw new ValueError(`has a path that is not a database number. ${forms}.`);
    return { kind: "single", ...common, ...host, database: parseDatabase(segments[0]) };
  }

  const [masterName = "", database, ...rest] = segments;
  if (masterName === "" || rest.length > 0) {
    throw new ValueError(`does not name the master that the Sentinels watch. ${forms}.`);
  }
  return {
    kind: "sentinel",
    ...common,
    sentinels: parseHosts(authority, 26379),
    masterName: decode(masterName),
    database: parseDatabase(database),
    ...parseSentinelQuery(query),
  };
}

/** What follows `unix:`. A path has no place for user and password; they have settings of their own. */
function parseUnix(text: string): RedisAddress {
  const [, path, database] = /^(?:\/\/)?(\/(?!\/)[^?#]*[^?#/])(?:\?database=([^&#]*))?$/.exec(text) ?? [];
  if (path === undefined) {
    throw new ValueError(
      "is not the path of a socket. Write unix:/path/of/the/socket or unix:/path/of/the/socket?database=1, " +
        "and put user and password into REDIS_USERNAME and REDIS_PASSWORD.",
    );
  }
  const common = { tls: false, username: undefined, password: undefined };
  return { kind: "unix", ...common, path: decode(path), database: parseDatabase(database) };
}

function parseHosts(authority: string, defaultPort: number): RedisHost[] {
  return authority.split(",").map((entry) => {
    const [, bracketed, name, port] =
      /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?$/.exec(entry) ?? [];
    const host = bracketed ?? name;
    if (host === undefined)
      throw new ValueError(`has no host, or one that is not a name or an address. ${forms}.`);
    const number = port === undefined ? defaultPort : Number(port);
    if (number < 1 || number > 65_535)
      throw new ValueError("has a port outside 1 to 65535. Correct the port.");
    return { host, port: number };
  });
}

function parseCredentials(text: string): Pick<RedisCommon, "username" | "password"> {
  if (text === "") return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  if (colon < 0) {
    // redis://secret@host: what some clients read as a user and others as a password.
    throw new ValueError(
      "has a user without a password. Write redis://user:password@host or redis://:password@host, or remove " +
        "the user here and set REDIS_USERNAME and REDIS_PASSWORD.",
    );
  }
  const username = decode(text.slice(0, colon));
  const password = decode(text.slice(colon + 1));
  return {
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
  };
}

function parseDatabase(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  if (!/^(0|[1-9][0-9]{0,4})$/.test(text)) {
    throw new ValueError(
      "has something else in the place of the database number. Write a whole number there, or nothing.",
    );
  }
  return Number(text);
}

function parseSentinelQuery(query: string): {
  sentinelUsername: string | undefined;
  sentinelPassword: string | undefined;
} {
  const pairs = new Map<string, string>();
  for (const pair of query === "" ? [] : query.split("&")) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, Math.max(equals, 0));
    if (!/^sentinel_(username|password)$/.test(key) || pairs.has(key)) {
      throw new ValueError(
        "has a query that is not understood. Only sentinel_username and sentinel_password may stand there, once each.",
      );
    }
    pairs.set(key, decode(pair.slice(equals + 1)));
  }
  return {
    sentinelUsername: pairs.get("sentinel_username"),
    sentinelPassword: pairs.get("sentinel_password"),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ValueError("has a % that does not start an escape. Write a literal % as %25.");
  }
}
