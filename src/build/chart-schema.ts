// What may stand in the Helm chart's values, and the writer of deploy/chart/values.schema.json.
// Descriptions are in values.yaml, beside the defaults; a test keeps the two at the same names.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { describeSettings } from "../config/schema.ts";

export const chartSchemaFile = fileURLToPath(
  new URL("../../deploy/chart/values.schema.json", import.meta.url),
);

const text = z.string();
const flag = z.boolean();
const port = z.int().min(1).max(65_535);
/** A name that Kubernetes gives objects, or nothing. */
const objectName = z
  .string()
  .regex(/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/)
  .max(253);
const labels = z.record(z.string(), z.string());
/** Kubernetes' own types, handed on as they are; the API server is the judge of them. */
const kubernetesObject = z.record(z.string(), z.unknown());
const kubernetesList = z.array(kubernetesObject);
const secretKey = z.string().regex(/^[A-Za-z0-9._-]+$/);
const optionalKey = z.string().regex(/^[A-Za-z0-9._-]*$/);
const redisUrl = z.string().regex(/^(rediss?(\+sentinel|\+cluster)?:\/\/\S+)?$/);
/** No scheme and no slash at the end: it is put before an image's name with a slash between. */
const registry = z.string().regex(/^([A-Za-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)*)?$/);
const duration = z.string().regex(/^([0-9]+(ms|s|m|h))+$/);

const image = z.strictObject({
  registry,
  repository: z.string().regex(/^[a-z0-9._/-]+$/),
  tag: z.string().regex(/^[A-Za-z0-9_.-]{0,128}$/),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/),
  pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
});

const resources = z.strictObject({ requests: kubernetesObject, limits: kubernetesObject }).partial();

const scheduling = {
  podLabels: labels,
  podAnnotations: labels,
  priorityClassName: objectName,
  nodeSelector: labels,
  tolerations: kubernetesList,
  affinity: kubernetesObject,
};

/** Settings that the chart derives from other values: addresses, credentials and their files, ports. */
export const derivedSettings: readonly string[] = [
  "PORT",
  "PUBLIC_URL",
  "TRUST_PROXY",
  "TLS",
  "TLS_CERT_FILE",
  "TLS_KEY_FILE",
  "REDIRECT_PORT",
  "REDIS_URL",
  "KEYRING_REDIS_URL",
  "REDIS_USERNAME",
  "REDIS_PASSWORD",
  "REDIS_SENTINEL_USERNAME",
  "REDIS_SENTINEL_PASSWORD",
  "KEYRING_REDIS_USERNAME",
  "KEYRING_REDIS_PASSWORD",
  "REDIS_SERVER_NAME",
  "REDIS_CA_FILE",
  "REDIS_CERT_FILE",
  "REDIS_KEY_FILE",
  "SMTP_URL",
  "SMTP_CA_FILE",
  "WEBHOOKS",
  "WEBHOOK_CA_FILE",
  "AUDIT_SYSLOG_URL",
  "AUDIT_SYSLOG_CA_FILE",
  "METRICS_PORT",
];

/** YAML reads `off` as a boolean and 10 as a number, so all three are taken. */
const setting = z.union([z.string(), z.int(), z.boolean()]);
const settings = z
  .strictObject(
    Object.fromEntries(
      describeSettings()
        .filter(({ name }) => !derivedSettings.includes(name))
        .map(({ name, about }) => [name, setting.describe(about)]),
    ),
  )
  .partial();

const chartValues = z
  .strictObject({
    // The one open place: a parent chart's globals arrive here too.
    global: z
      .looseObject({
        imageRegistry: registry,
        imagePullSecrets: z.array(z.strictObject({ name: objectName.min(1) })),
      })
      .partial(),
    nameOverride: objectName,
    fullnameOverride: objectName,
    commonLabels: labels,
    publicUrl: z.string().regex(/^(https?:\/\/[^\s/?#@]+(\/[A-Za-z0-9._~-]+)*\/?)?$/),
    trustProxy: z.union([
      z.int().min(0).max(10),
      z.string().regex(/^([0-9a-z][0-9a-z.:/]*(, ?[0-9a-z.:/]+)*)?$/),
    ]),
    image,
    replicaCount: z.int().min(1),
    autoscaling: z.strictObject({
      enabled: flag,
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      targetCPUUtilizationPercentage: z.int().min(1).max(100),
    }),
    podDisruptionBudget: z.strictObject({
      enabled: flag,
      maxUnavailable: z.union([z.int().min(1), z.string().regex(/^[1-9][0-9]?%$/)]),
    }),
    settings,
    extraEnv: z.array(
      z
        .strictObject({
          name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
          value: text,
          valueFrom: kubernetesObject,
        })
        .partial({ value: true, valueFrom: true }),
    ),
    extraVolumes: kubernetesList,
    extraVolumeMounts: kubernetesList,
    drainSeconds: z.int().min(1).max(300),
    resources,
    podSecurityContext: kubernetesObject,
    ...scheduling,
    topologySpread: z.strictObject({ whenUnsatisfiable: z.enum(["ScheduleAnyway", "DoNotSchedule"]) }),
    serviceAccount: z.strictObject({ create: flag, name: objectName, annotations: labels }),
    service: z.strictObject({
      type: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]),
      port,
      annotations: labels,
    }),
    ingress: z.strictObject({
      enabled: flag,
      className: objectName,
      annotations: labels,
      tls: z.strictObject({ enabled: flag, secretName: objectName }),
    }),
    httpRoute: z.strictObject({
      enabled: flag,
      annotations: labels,
      parentRefs: kubernetesList,
      requestTimeout: z.union([z.literal(""), duration]),
    }),
    networkPolicy: z.strictObject({
      enabled: flag,
      ingressFrom: kubernetesList,
      metricsFrom: kubernetesList.min(1),
      dnsTo: kubernetesList,
      dnsPorts: z.array(port),
      externalRedisTo: kubernetesList,
      notificationsTo: kubernetesList,
      auditSyslogTo: kubernetesList,
      redisFrom: kubernetesList,
      extraEgress: kubernetesList,
    }),
    redis: z.strictObject({
      mode: z.enum(["standalone", "sentinel", "external", "none"]),
      image,
      // Helm takes a null in somebody's values as "remove the default".
      runAsUser: z.union([z.int().min(1), z.null()]).optional(),
      auth: z.strictObject({
        password: z.string().regex(/^([A-Za-z0-9._~-]{24,})?$/),
        existingSecret: objectName,
      }),
      maxMemoryMiB: z.int().min(16),
      resources,
      ...scheduling,
      sentinel: z.strictObject({
        replicas: z.union([z.literal(3), z.literal(5)]),
        downAfterMilliseconds: z.int().min(1000),
        failoverTimeoutMilliseconds: z.int().min(5000),
      }),
    }),
    externalRedis: z.strictObject({
      url: redisUrl,
      existingSecret: objectName,
      urlKey: secretKey,
      username: text,
      passwordKey: optionalKey,
      sentinelUsername: text,
      sentinelPasswordKey: optionalKey,
      keyring: z.strictObject({
        url: redisUrl,
        existingSecret: objectName,
        urlKey: secretKey,
        username: text,
        passwordKey: optionalKey,
      }),
      tls: z.strictObject({
        existingSecret: objectName,
        caKey: secretKey,
        clientCertificate: flag,
        certKey: secretKey,
        keyKey: secretKey,
        serverName: z.string().regex(/^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$/),
      }),
      ports: z.array(port).min(1),
    }),
    notifications: z.strictObject({
      existingSecret: objectName,
      smtpUrlKey: optionalKey,
      smtpCaKey: optionalKey,
      webhooksKey: optionalKey,
      webhookCaKey: optionalKey,
      ports: z.array(port).min(1),
    }),
    auditSyslog: z.strictObject({
      url: z.string().regex(/^(syslog(\+tls)?:\/\/\S+)?$/),
      existingSecret: objectName,
      caKey: secretKey,
    }),
    metrics: z.strictObject({
      enabled: flag,
      serviceMonitor: z.strictObject({ enabled: flag, interval: duration, labels }),
      prometheusRule: z.strictObject({ enabled: flag, labels }),
      dashboard: z.strictObject({ enabled: flag, labels }),
    }),
  })
  .partial();

/** Draft 7: what every Helm 3 understands. */
export function chartSchema(): string {
  const schema = z.toJSONSchema(chartValues, { target: "draft-7" });
  const json = JSON.stringify({ ...schema, title: "Waxseal Helm chart values" }, null, 2);
  return `${json.replace(/^( *)(.*)\[\n([^[\]{}]*)\n *\](,?)$/gm, onOneLine)}\n`;
}

/** A short list as the formatter writes it, so that the generated file passes the same check as all. */
function onOneLine(list: string, indent: string, before: string, items: string, comma: string): string {
  const line = `${indent}${before}[${items.trim().replace(/\n\s*/g, " ")}]${comma}`;
  return line.length <= 110 ? line : list;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(chartSchemaFile, chartSchema());
