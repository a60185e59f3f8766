import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chartSchema, chartSchemaFile, derivedSettings } from "../../build/chart-schema.ts";
import { describeSettings } from "../../config/schema.ts";
import { at, chartFolder, createHelm, type Helm } from "./helm.ts";
import { ensureTools } from "./tools.ts";
import { oldest } from "./versions.ts";

let helm: Helm;
before(async () => {
  helm = await createHelm((await ensureTools()).helm);
});
after(() => helm?.stop());

describe("the chart's values", () => {
  it("have a schema that is up to date", () => {
    const wanted = "npx tsx src/build/chart-schema.ts brings it up to date";
    assert.equal(readFileSync(chartSchemaFile, "utf8"), chartSchema(), wanted);
  });

  it("are the same names in values.yaml and in the schema", async () => {
    const text = readFileSync(join(chartFolder, "values.yaml"), "utf8");
    const [values] = await helm.read(text);
    assert.ok(values);
    const compare = (schema: object, value: unknown, path: string): void => {
      const properties = at<Record<string, object>>(schema, "properties");
      if (properties === undefined || path === ".settings" || path.endsWith(".resources")) return;
      assert.deepEqual(
        Object.keys(value as object).sort(),
        Object.keys(properties).sort(),
        `below ${path || "."}`,
      );
      for (const [name, part] of Object.entries(properties)) {
        compare(part, (value as Record<string, unknown>)[name], `${path}.${name}`);
      }
    };
    compare(JSON.parse(chartSchema()) as object, values, "");
  });

  it("refuse every name they do not know, at every level", async () => {
    const objects: string[] = [];
    const visit = (schema: object, path: string): void => {
      const properties = at<Record<string, object>>(schema, "properties");
      if (properties === undefined) return;
      // A parent chart's globals arrive in every chart.
      if (path !== "global") assert.equal(at(schema, "additionalProperties"), false, path);
      objects.push(path);
      for (const [name, part] of Object.entries(properties))
        visit(part, path === "" ? name : `${path}.${name}`);
    };
    visit(JSON.parse(chartSchema()) as object, "");
    assert.ok(objects.length > 20);
    const { code, stderr } = await helm.template({ values: { replicas: 2, redis: { persistence: true } } });
    assert.notEqual(code, 0);
    assert.match(stderr, /'replicas' not allowed/);
    assert.match(stderr, /'persistence' not allowed/);
  });

  it("cover every setting of the program: one can be set, or is derived", () => {
    const schema = JSON.parse(chartSchema()) as object;
    const settable = Object.keys(at<object>(schema, "properties.settings.properties") ?? {});
    const names: readonly string[] = describeSettings().map(({ name }) => name);
    assert.deepEqual([...settable, ...derivedSettings].sort(), [...names].sort());
  });

  it("are of the version that the program has", () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    const chart = readFileSync(join(chartFolder, "Chart.yaml"), "utf8");
    assert.ok(chart.includes(`appVersion: "${version}"`));
    assert.ok(chart.includes(`kubeVersion: ">=${oldest.minor}.0-0"`));
  });
});

describe("values that cannot work together are refused with the fix", () => {
  const external = { mode: "external" };
  const refused: [string, object, RegExp][] = [
    ["two pods without Redis", { redis: { mode: "none" } }, /Set replicaCount to 1/],
    [
      "scaling without Redis",
      { redis: { mode: "none" }, replicaCount: 1, autoscaling: { enabled: true } },
      /Set replicaCount to 1/,
    ],
    ["plain http", { publicUrl: "http://secrets.example.org/x" }, /Use https:\/\/secrets\.example\.org\/x/],
    ["an Ingress for localhost", { ingress: { enabled: true } }, /Set publicUrl/],
    ["a route for localhost", { httpRoute: { enabled: true, parentRefs: [{ name: "g" }] } }, /Set publicUrl/],
    [
      "a route to nowhere",
      { publicUrl: "https://a.example", httpRoute: { enabled: true } },
      /Set httpRoute\.parentRefs/,
    ],
    [
      "fewer pods at most than at least",
      { autoscaling: { enabled: true, minReplicas: 7 } },
      /Raise the one or lower the other/,
    ],
    [
      "password and Secret",
      { redis: { auth: { password: "a".repeat(24), existingSecret: "s" } } },
      /Keep one: leave password empty/,
    ],
    [
      "a password for somebody else's Redis",
      { redis: { ...external, auth: { password: "a".repeat(24) } }, externalRedis: { existingSecret: "s" } },
      /externalRedis\.existingSecret/,
    ],
    ["an external Redis nowhere", { redis: external }, /Set externalRedis\.existingSecret/],
    [
      "an external Redis twice",
      { redis: external, externalRedis: { url: "redis://r", existingSecret: "s" } },
      /Keep one: leave url empty/,
    ],
    [
      "a keyring twice",
      {
        redis: external,
        externalRedis: { existingSecret: "s", keyring: { url: "redis://r", existingSecret: "s" } },
      },
      /keyring.* Keep one/,
    ],
    [
      "mTLS without a certificate",
      { redis: external, externalRedis: { existingSecret: "s", tls: { clientCertificate: true } } },
      /Set externalRedis\.tls\.existingSecret/,
    ],
    [
      "TLS for a URL without",
      { redis: external, externalRedis: { url: "redis://r", tls: { existingSecret: "s" } } },
      /Use rediss:\/\//,
    ],
    [
      "an external Redis that would be ignored",
      { externalRedis: { existingSecret: "s" } },
      /Set redis\.mode to external/,
    ],
    [
      "a monitor without metrics",
      { metrics: { serviceMonitor: { enabled: true } } },
      /Set metrics\.enabled to true/,
    ],
    [
      "webhooks from nowhere",
      { notifications: { webhooksKey: "hooks" } },
      /Set notifications\.existingSecret/,
    ],
    [
      "a Secret that nothing is taken from",
      { notifications: { existingSecret: "s" } },
      /Set notifications\.smtpUrlKey or webhooksKey/,
    ],
    [
      "an authority for nobody",
      { notifications: { existingSecret: "s", webhooksKey: "hooks", smtpCaKey: "ca" } },
      /smtpCaKey goes with smtpUrlKey/,
    ],
    [
      "mails from nobody to nobody",
      { notifications: { existingSecret: "s", smtpUrlKey: "smtp" }, settings: { SMTP_FROM: "a@b.example" } },
      /Set settings\.SMTP_FROM and settings\.SMTP_ALLOW_DOMAINS/,
    ],
    [
      "an authority for an unencrypted receiver",
      { auditSyslog: { url: "syslog://logs.example.org", existingSecret: "s" } },
      /Set auditSyslog\.url to syslog\+tls/,
    ],
    [
      "half of the work without a Redis",
      { redis: { mode: "none" }, replicaCount: 1, settings: { ROLE: "open" } },
      /needs a Redis that it shares/,
    ],
    ["links to nowhere", { settings: { ROLE: "create" } }, /Set settings\.LINK_URL/],
    [
      "others at a Redis of one's own",
      {
        redis: external,
        externalRedis: { existingSecret: "s" },
        networkPolicy: { redisFrom: [{ podSelector: {} }] },
      },
      /networkPolicy\.redisFrom is for the bundled Redis/,
    ],
    ["passwords among the settings", { settings: { SMTP_URL: "smtp://u:p@mail" } }, /SMTP_URL/],
    ["believing everybody", { trustProxy: "*" }, /trustProxy/],
    ["a registry with a scheme", { global: { imageRegistry: "https://r.internal" } }, /imageRegistry/],
    ["an even number of Sentinels", { redis: { mode: "sentinel", sentinel: { replicas: 4 } } }, /replicas/],
    [
      "a password that a URL cannot hold",
      { redis: { auth: { password: "p@ss/word-that-is-long-enough" } } },
      /password/,
    ],
    ["a path that the program refuses", { publicUrl: "https://a.example/x?y" }, /publicUrl/],
  ];
  for (const [name, values, fix] of refused) {
    it(name, async () => {
      const { code, stderr } = await helm.template({ values });
      assert.notEqual(code, 0, "it was accepted");
      assert.match(stderr, fix);
    });
  }
});
