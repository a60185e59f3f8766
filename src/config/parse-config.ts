import type { Config, MailConfig, StoreBudget, TlsMode } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { type Environment, type ReadFile, readText, readTexts } from "./environment.ts";
import { findMisspeltNames } from "./misspelt-names.ts";
import { keyringCredentials, redisCredentials, signIn } from "./redis-credentials.ts";
import { rules } from "./rules.ts";
import { type SettingName, type Settings, settings } from "./schema.ts";

/** store/redis-admission.ts says what the other fifth is for. */
const DEFAULT_BUDGET: StoreBudget = { kind: "share", share: 0.8 };
const DEFAULT_EMBEDDED = 256 * 2 ** 20;

/**
 * The whole configuration, frozen, from the environment and the files that it names. Throws
 * ConfigError with every problem at once; no problem repeats a value that may hold a secret.
 */
export function parseConfig(environment: Environment, readFile: ReadFile): Config {
  const problems: string[] = findMisspeltNames(environment);
  const faulty = new Set<SettingName>();
  const report = (name: SettingName, problem: string) => {
    faulty.add(name);
    problems.push(problem);
  };

  const texts = readTexts(environment, readFile, report);
  const values: Record<string, unknown> = {};
  // One by one rather than as a whole, so that the rules can still look at what is right.
  for (const name of Object.keys(settings.shape) as SettingName[]) {
    if (faulty.has(name)) continue;
    const result = settings.shape[name].safeParse(texts[name]);
    if (result.success) values[name] = result.data;
    else report(name, `${name}: ${result.error.issues.map((issue) => issue.message).join(" ")}`);
  }

  // Complete but for the faulty ones, which no rule gets to see.
  const parsed = values as Settings;
  for (const name of ["TLS_CERT_FILE", "TLS_KEY_FILE"] as const) {
    const problem = parsed[name] === undefined ? undefined : pemProblem(readFile, parsed[name]);
    if (problem !== undefined) report(name, `${name}: ${problem}`);
  }
  for (const { names, check } of rules) {
    const problem = names.some((name) => faulty.has(name)) ? undefined : check(parsed);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(toConfig(parsed));
}

/** TLS files are read again later; this only finds mistakes before anything listens. */
function pemProblem(readFile: ReadFile, path: string): string | undefined {
  const text = readText(readFile, path);
  if (typeof text !== "string") return text.problem;
  return text.includes("-----BEGIN ")
    ? undefined
    : "is not a PEM file. Give a file that holds -----BEGIN …-----.";
}

function toConfig(values: Settings): Config {
  const tls = toTlsMode(values);
  const publicUrl =
    values.PUBLIC_URL ?? new URL(`${tls.kind === "off" ? "http" : "https"}://localhost:${values.PORT}`);
  return {
    host: values.HOST,
    port: values.PORT,
    redirectPort: values.REDIRECT_PORT,
    tls,
    publicUrl,
    basePath: publicUrl.pathname === "/" ? "" : publicUrl.pathname,
    linkUrl: values.LINK_URL ?? publicUrl,
    role: values.ROLE,
    createAllowCidrs: values.CREATE_ALLOW_CIDRS,
    openAllowCidrs: values.OPEN_ALLOW_CIDRS,
    requirePassphrase: values.REQUIRE_PASSPHRASE,
    maxTtlByNetwork: values.MAX_TTL_BY_NETWORK ?? [],
    geoipDb: values.GEOIP_DB,
    redis: values.REDIS_URL && signIn(values.REDIS_URL, redisCredentials(values)),
    keyringRedis: values.KEYRING_REDIS_URL && signIn(values.KEYRING_REDIS_URL, keyringCredentials(values)),
    redisTls: {
      ca: values.REDIS_CA_FILE,
      cert: values.REDIS_CERT_FILE,
      key: values.REDIS_KEY_FILE,
      serverName: values.REDIS_SERVER_NAME,
    },
    redisKeyPrefix: values.REDIS_KEY_PREFIX ?? "",
    redisWaitReplicas: values.REDIS_WAIT_REPLICAS,
    keyringRedisWaitReplicas: values.KEYRING_REDIS_WAIT_REPLICAS,
    redisWaitTimeout: values.REDIS_WAIT_TIMEOUT,
    trustProxy: values.TRUST_PROXY ?? false,
    ttlChoices: values.TTL_CHOICES,
    defaultTtl: values.DEFAULT_TTL,
    maxTtl: values.MAX_TTL,
    maxSecretBytes: values.MAX_SECRET_BYTES,
    maxFiles: values.MAX_FILES,
    uploadsMaxBytes: values.UPLOADS_MAX_BYTES,
    uploadsPerAddress: values.UPLOADS_PER_ADDRESS,
    retention: values.RETENTION,
    passphraseTries: values.PASSPHRASE_TRIES,
    redeliveryWindow: values.REDELIVERY_WINDOW,
    rateLimitCreate: values.RATE_LIMIT_CREATE,
    rateLimitOpen: values.RATE_LIMIT_OPEN,
    rateLimitMiss: values.RATE_LIMIT_MISS,
    storeBudget: values.STORE_BUDGET ?? DEFAULT_BUDGET,
    embeddedMaxBytes: values.STORE_BUDGET?.kind === "size" ? values.STORE_BUDGET.bytes : DEFAULT_EMBEDDED,
    mail: toMailConfig(values),
    webhooks: values.WEBHOOKS ?? [],
    webhookAllowCidrs: values.WEBHOOK_ALLOW_CIDRS ?? [],
    webhookCa: values.WEBHOOK_CA_FILE,
    notifyAddresses: values.NOTIFY_ADDRESSES,
    assisted: values.ASSISTED,
    auditAddresses: values.AUDIT_ADDRESSES,
    auditSyslog: values.AUDIT_SYSLOG_URL && { ...values.AUDIT_SYSLOG_URL, ca: values.AUDIT_SYSLOG_CA_FILE },
    metricsPort: values.METRICS_PORT,
    logLevel: values.LOG_LEVEL,
  };
}

function toMailConfig({
  SMTP_URL,
  SMTP_FROM,
  SMTP_ALLOW_DOMAINS,
  SMTP_CA_FILE,
}: Settings): MailConfig | undefined {
  if (SMTP_URL === undefined || SMTP_FROM === undefined || SMTP_ALLOW_DOMAINS === undefined) return undefined;
  return { server: SMTP_URL, from: SMTP_FROM, domains: SMTP_ALLOW_DOMAINS, ca: SMTP_CA_FILE };
}

function toTlsMode({ TLS, TLS_CERT_FILE, TLS_KEY_FILE }: Settings): TlsMode {
  if (TLS === "self-signed") return { kind: "self-signed" };
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return { kind: "off" };
  return { kind: "files", certFile: TLS_CERT_FILE, keyFile: TLS_KEY_FILE };
}
