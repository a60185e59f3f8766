/** How many, and in how many seconds. */
export interface RateLimit {
  readonly count: number;
  readonly seconds: number;
}

/** Durations are seconds, sizes are bytes. Parsed once, frozen, and complete. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Where people reach the service, without a trailing slash. */
  readonly publicUrl: URL;
  /** The path part of `publicUrl` without a trailing slash: "" or "/waxseal". */
  readonly basePath: string;
  /** Undefined: the embedded store. */
  readonly redisUrl: string | undefined;
  /** What Express' "trust proxy" takes, checked: false, a hop count, or addresses and CIDR ranges. */
  readonly trustProxy: false | number | readonly string[];
  readonly ttlChoices: readonly number[];
  readonly defaultTtl: number;
  readonly maxTtl: number;
  readonly maxSecretBytes: number;
  readonly retention: number;
  readonly passphraseTries: number;
  readonly redeliveryWindow: number;
  readonly rateLimitCreate: RateLimit;
  readonly rateLimitOpen: RateLimit;
  readonly rateLimitMiss: RateLimit;
  readonly embeddedMaxBytes: number;
  readonly assisted: boolean;
  /** Undefined: no metrics listener. */
  readonly metricsPort: number | undefined;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
}
