import type { RedisAddress } from "./redis-url.ts";
import type { MailDomains, SmtpAddress } from "./smtp.ts";
import type { WebhookConfig } from "./webhooks.ts";

/** How many, and in how many seconds. */
export interface RateLimit {
  readonly count: number;
  readonly seconds: number;
}

/** When a store counts as full: a share of what Redis may use (`maxmemory`), or bytes. */
export type StoreBudget =
  | { readonly kind: "share"; readonly share: number }
  | { readonly kind: "size"; readonly bytes: number };

/**
 * For connections to Redis over TLS. The first three are PEM texts; `cert` and `key` come together or
 * not at all. `serverName` is to be certified instead of the host's name.
 */
export interface RedisTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
}

/** The longest time to live that is accepted from a network; seconds. */
export interface NetworkTtl {
  /** A CIDR range or a single address, as `parseNetwork` writes it. */
  readonly network: string;
  readonly seconds: number;
}

/** Where audit lines are sent. `ca` is a PEM text: who certifies the receiver, instead of the well-known ones. */
export interface SyslogReceiver {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly ca: string | undefined;
}

/** Who ends TLS. `files` keeps paths, not contents, because the files are read again when they change. */
export type TlsMode =
  | { readonly kind: "off" }
  | { readonly kind: "self-signed" }
  | { readonly kind: "files"; readonly certFile: string; readonly keyFile: string };

/** How senders are told by e-mail. */
export interface MailConfig {
  readonly server: SmtpAddress;
  /** The sender of every mail. */
  readonly from: string;
  /** Who may be written to. */
  readonly domains: MailDomains;
  /** PEM: authorities besides the well-known ones. */
  readonly ca: string | undefined;
}

/** Durations are seconds, sizes are bytes. Parsed once, frozen, and complete. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Undefined: nothing answers plain http beside the service. */
  readonly redirectPort: number | undefined;
  readonly tls: TlsMode;
  /** Where people reach the service. Links are `publicUrl.origin + basePath + "/s#…"`. */
  readonly publicUrl: URL;
  /** The path part of `publicUrl` without a trailing slash: "" or "/waxseal". */
  readonly basePath: string;
  /** Where links lead; `publicUrl`, unless opening has an address of its own. */
  readonly linkUrl: URL;
  /** What this instance serves. */
  readonly role: "create" | "open" | "both";
  /** CIDR ranges and addresses as `parseNetwork` writes them. Undefined: anybody may. */
  readonly createAllowCidrs: readonly string[] | undefined;
  readonly openAllowCidrs: readonly string[] | undefined;
  readonly requirePassphrase: boolean;
  /** The first that holds a client's address counts; `maxTtl` where none does. */
  readonly maxTtlByNetwork: readonly NetworkTtl[];
  /** Path of the database that says which country an address is in. */
  readonly geoipDb: string | undefined;
  /** Undefined: the embedded store. */
  readonly redis: RedisAddress | undefined;
  /** Undefined: shares live in the same Redis as everything else. */
  readonly keyringRedis: RedisAddress | undefined;
  readonly redisTls: RedisTls;
  /** Before every key in either Redis; often "". */
  readonly redisKeyPrefix: string;
  /** How many replicas must confirm before something counts as done. */
  readonly redisWaitReplicas: number;
  /** The same for the shares, where they have a Redis of their own. */
  readonly keyringRedisWaitReplicas: number;
  /** Milliseconds. */
  readonly redisWaitTimeout: number;
  /** What Express' "trust proxy" takes, checked: false, a hop count, or addresses and CIDR ranges. */
  readonly trustProxy: false | number | readonly string[];
  readonly ttlChoices: readonly number[];
  readonly defaultTtl: number;
  readonly maxTtl: number;
  readonly maxSecretBytes: number;
  readonly maxFiles: number;
  /** What all unfinished uploads together may have declared. */
  readonly uploadsMaxBytes: number;
  readonly uploadsPerAddress: number;
  readonly retention: number;
  readonly passphraseTries: number;
  readonly redeliveryWindow: number;
  readonly rateLimitCreate: RateLimit;
  readonly rateLimitOpen: RateLimit;
  readonly rateLimitMiss: RateLimit;
  /** For each Redis. */
  readonly storeBudget: StoreBudget;
  /** What the embedded store may keep: the same setting, where there is no Redis. */
  readonly embeddedMaxBytes: number;
  /** Undefined: nobody is written to. */
  readonly mail: MailConfig | undefined;
  readonly webhooks: readonly WebhookConfig[];
  /** Special-purpose addresses that webhooks may lead to, as `parseNetwork` writes them. */
  readonly webhookAllowCidrs: readonly string[];
  /** PEM: authorities besides the well-known ones. */
  readonly webhookCa: string | undefined;
  /** Whether notifications say from which address a secret was opened. */
  readonly notifyAddresses: boolean;
  readonly assisted: boolean;
  /** What an audit line holds of a client's address. */
  readonly auditAddresses: "none" | "network" | "full";
  /** Undefined: audit lines go to the log alone. */
  readonly auditSyslog: SyslogReceiver | undefined;
  /** Undefined: no metrics listener. */
  readonly metricsPort: number | undefined;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
}
