import type { RedisAddress } from "./redis-url.ts";
import type { SettingName, Settings } from "./schema.ts";

/** User and password that stand in settings of their own; undefined where they don't. */
export interface RedisCredentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
}

const redisNames = [
  "REDIS_USERNAME",
  "REDIS_PASSWORD",
  "REDIS_SENTINEL_USERNAME",
  "REDIS_SENTINEL_PASSWORD",
] as const satisfies readonly SettingName[];
const keyringNames = [
  "KEYRING_REDIS_USERNAME",
  "KEYRING_REDIS_PASSWORD",
] as const satisfies readonly SettingName[];

/** The settings that belong to each address. */
export const credentialNames = { REDIS_URL: redisNames, KEYRING_REDIS_URL: keyringNames };

export function redisCredentials(values: Pick<Settings, (typeof redisNames)[number]>): RedisCredentials {
  return {
    username: values.REDIS_USERNAME,
    password: values.REDIS_PASSWORD,
    sentinelUsername: values.REDIS_SENTINEL_USERNAME,
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
  };
}

export function keyringCredentials(values: Pick<Settings, (typeof keyringNames)[number]>): RedisCredentials {
  return {
    username: values.KEYRING_REDIS_USERNAME,
    password: values.KEYRING_REDIS_PASSWORD,
    sentinelUsername: undefined,
    sentinelPassword: undefined,
  };
}

/** The address with user and password. `credentialsProblem` has made sure that only one place says them. */
export function signIn(address: RedisAddress, credentials: RedisCredentials): RedisAddress {
  const { username, password, sentinelUsername, sentinelPassword } = credentials;
  const signed = {
    ...address,
    username: address.username ?? username,
    password: address.password ?? password,
  };
  if (signed.kind !== "sentinel") return signed;
  return {
    ...signed,
    sentinelUsername: signed.sentinelUsername ?? sentinelUsername,
    sentinelPassword: signed.sentinelPassword ?? sentinelPassword,
  };
}

/** What is wrong between the address at `name` and the settings beside it. Never shows a value. */
export function credentialsProblem(
  name: "REDIS_URL" | "KEYRING_REDIS_URL",
  address: RedisAddress | undefined,
  { username, password, sentinelUsername, sentinelPassword }: RedisCredentials,
): string | undefined {
  const settings: readonly string[] = credentialNames[name];
  const [user = "", pass = "", sentinelUser = "", sentinelPass = ""] = settings;
  const first = [username, password, sentinelUsername, sentinelPassword].findIndex(
    (value) => value !== undefined,
  );
  if (first < 0) return undefined;
  if (address === undefined)
    return `${settings[first]}: goes with ${name}, which is not set. Set ${name}, or remove this.`;
  if (username !== undefined && password === undefined)
    return `${user}: needs a password. Set ${pass} or ${pass}_FILE, or write both into ${name}.`;
  if (password !== undefined && (address.password ?? address.username) !== undefined)
    return `${pass}: ${name} holds user or password already. Remove one of them.`;
  if (sentinelUsername === undefined && sentinelPassword === undefined) return undefined;
  if (address.kind !== "sentinel")
    return `${sentinelPassword === undefined ? sentinelUser : sentinelPass}: has no use, since ${name} names no Sentinels. Remove it.`;
  if (sentinelPassword === undefined)
    return `${sentinelUser}: needs a password. Set ${sentinelPass} or ${sentinelPass}_FILE.`;
  if ((address.sentinelPassword ?? address.sentinelUsername) !== undefined)
    return `${sentinelPass}: ${name} holds the Sentinels' user or password already. Remove one of them.`;
  return undefined;
}
