import { changesChannel } from "./redis-keys.ts";

/** Keys that nobody else has, for trying a command out, and the one channel. */
export interface TrialKeys {
  readonly channel: string;
  readonly text: string;
  readonly hash: string;
  readonly sorted: string;
  readonly stream: string;
}

/** A command that the program sends, or that one of its scripts calls. */
export interface RedisCommand {
  /** As an ACL spells it: `client|setname`. */
  readonly name: string;
  readonly use: string;
  /** Arguments with which it may be tried out; nothing stays for longer than a second. */
  readonly trial?: (keys: TrialKeys) => readonly string[];
  /** Why no test sees it, where none does. */
  readonly unseen?: string;
}

/**
 * All that the program's user has to be allowed on a Redis, in an order in which it can be tried. The
 * `ACL SETUSER` line, the chart's and the compose files' users and the doctor's check are made of this
 * table, and src/store/redis-acl.test.ts compares it with what a Redis was really asked: whoever adds a
 * command to src/store adds it here, and runs `npm run readme`.
 */
export const COMMANDS: readonly RedisCommand[] = [
  { name: "hello", use: "handshake" },
  { name: "client|setname", use: "handshake" },
  { name: "select", use: "handshake" },
  { name: "quit", use: "the last words of a connection" },
  { name: "info", use: "the check at start, and how much memory is left" },
  { name: "ping", use: "readiness", trial: () => [] },
  { name: "time", use: "scripts: the one clock that counts", trial: () => [] },
  { name: "wait", use: "REDIS_WAIT_REPLICAS", trial: () => ["0", "1"] },
  { name: "set", use: "the share; a limit's counter", trial: ({ text }) => [text, "1", "PX", "1000"] },
  { name: "get", use: "the ciphertext; a limit's counter", trial: ({ text }) => [text] },
  {
    name: "getrange",
    use: "a part of a ciphertext",
    trial: ({ text }) => [text, "0", "0"],
  },
  {
    name: "setrange",
    use: "scripts: a ciphertext that comes in parts",
    trial: ({ text }) => [text, "0", "1"],
  },
  { name: "incr", use: "a limit's counter", trial: ({ text }) => [text] },
  { name: "decr", use: "a limit's counter", trial: ({ text }) => [text] },
  { name: "pttl", use: "scripts: what is left of a key's time", trial: ({ text }) => [text] },
  { name: "exists", use: "whether share and ciphertext are there", trial: ({ text }) => [text] },
  {
    name: "getex",
    use: "hands the share over, again within the window",
    trial: ({ text }) => [text, "PX", "1000"],
  },
  { name: "getdel", use: "hands the share over once", trial: ({ text }) => [text] },
  { name: "hset", use: "scripts: the record", trial: ({ hash }) => [hash, "field", "1"] },
  { name: "pexpire", use: "scripts: the end of a key", trial: ({ hash }) => [hash, "1000"] },
  { name: "hmget", use: "scripts: the record", trial: ({ hash }) => [hash, "field"] },
  { name: "hgetall", use: "scripts: the record", trial: ({ hash }) => [hash] },
  { name: "hdel", use: "scripts: the record", trial: ({ hash }) => [hash, "field"] },
  { name: "zadd", use: "the index of what falls due", trial: ({ sorted }) => [sorted, "1", "member"] },
  {
    name: "zincrby",
    use: "looks later at a record of another version",
    trial: ({ sorted }) => [sorted, "1", "member"],
  },
  { name: "zcard", use: "how many are pending", trial: ({ sorted }) => [sorted] },
  { name: "zrangebyscore", use: "scripts: what falls due", trial: ({ sorted }) => [sorted, "-inf", "0"] },
  { name: "zrem", use: "the index of what falls due", trial: ({ sorted }) => [sorted, "member"] },
  {
    name: "xgroup|create",
    use: "scripts: notifications' queue",
    trial: ({ stream }) => [stream, "group", "0", "MKSTREAM"],
  },
  { name: "xadd", use: "scripts: a notification to be sent", trial: ({ stream }) => [stream, "*", "d", "1"] },
  {
    name: "xreadgroup",
    use: "scripts: the next notifications",
    trial: ({ stream }) => ["GROUP", "group", "all", "COUNT", "1", "STREAMS", stream, ">"],
  },
  {
    name: "xautoclaim",
    use: "scripts: notifications that another replica took and did not send",
    trial: ({ stream }) => [stream, "group", "all", "1000", "0-0", "COUNT", "1"],
  },
  {
    name: "xack",
    use: "scripts: a notification that was sent",
    trial: ({ stream }) => [stream, "group", "0-1"],
  },
  { name: "xdel", use: "scripts: a notification that was sent", trial: ({ stream }) => [stream, "0-1"] },
  { name: "xlen", use: "how many notifications wait", trial: ({ stream }) => [stream] },
  { name: "del", use: "a limit's counter", trial: ({ text }) => [text] },
  {
    name: "unlink",
    use: "removes shares, ciphertexts and records",
    trial: ({ hash, sorted, stream }) => [hash, sorted, stream],
  },
  {
    name: "publish",
    use: "tells replicas that a record changed",
    trial: ({ channel }) => [channel, ""],
  },
  // To try it would change what the doctor's connection may do.
  { name: "subscribe", use: "hears from replicas that a record changed" },
  { name: "script|load", use: "the rate limits' scripts", trial: () => ["return 1"] },
  { name: "eval", use: "scripts, the first time on a connection", trial: () => ["return 1", "0"] },
  { name: "evalsha", use: "scripts", trial: () => ["e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"] },
];

/** And these, where it is a Cluster. */
export const CLUSTER_COMMANDS: readonly RedisCommand[] = [
  { name: "auth", use: "handshake, where the slots are asked for" },
  { name: "cluster|slots", use: "who has what", trial: () => [] },
  { name: "cluster|info", use: "whether the Cluster takes commands", trial: () => [] },
  { name: "asking", use: "a slot that is being moved", trial: () => [] },
  { name: "readonly", use: "handshake with a replica, to ask it for the slots" },
  { name: "readwrite", use: "tells a replica that it is a master now", unseen: "needs a failover" },
];

/** On the Sentinels. */
export const SENTINEL_COMMANDS = ["hello", "sentinel|get-master-addr-by-name", "sentinel|sentinels"] as const;

/** `ACL SETUSER`'s rules after name and password. */
export function aclRules(keyPrefix: string, commands: readonly RedisCommand[] = COMMANDS): string {
  return `~${keyPrefix}ws:* resetchannels &${changesChannel(keyPrefix)} -@all ${commands.map(({ name }) => `+${name}`).join(" ")}`;
}

/** As it is sent: words, the first being the command. */
export function trialCall({ name, trial }: RedisCommand, keys: TrialKeys): readonly string[] | undefined {
  return trial && [...name.toUpperCase().split("|"), ...trial(keys)];
}
