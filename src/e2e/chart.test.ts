import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createSyslogMetrics } from "../audit/syslog-metrics.ts";
import { parseConfig } from "../config/parse-config.ts";
import { registerNotifications } from "../notify/notify-metrics.ts";
import { createMemoryOutbox } from "../store/memory-outbox.ts";
import { aclRules } from "../store/redis-commands.ts";
import { createMetrics } from "../web/metrics.ts";
import { at, createHelm, type Helm, type Manifest, type TemplateOptions } from "./kubernetes/helm.ts";
import { cases, containersOf, decode, everythingOn, find, podsOf, render } from "./kubernetes/manifests.ts";
import { attempt, run } from "./kubernetes/run.ts";
import { ensureSchemas } from "./kubernetes/schemas.ts";
import { ensureTools, type Tools } from "./kubernetes/tools.ts";
import { newest, oldest } from "./kubernetes/versions.ts";

let tools: Tools;
let helm: Helm;
before(async () => {
  tools = await ensureTools();
  helm = await createHelm(tools.helm);
});
after(() => helm?.stop());

describe("what the chart renders", () => {
  it("passes helm lint --strict with every values file", async () => {
    for (const { valuesFile } of cases) {
      const { code, stdout, stderr } = await helm.lint(["-f", valuesFile]);
      assert.equal(code, 0, `${valuesFile}\n${stdout}${stderr}`);
    }
  });

  for (const which of ["oldest", "newest"] as const) {
    const { version, minor } = which === "oldest" ? oldest : newest;
    it(`is valid against the schema of Kubernetes ${minor}`, async () => {
      const locations = await ensureSchemas(which, helm);
      const args = [
        "-strict",
        "-summary",
        "-output",
        "json",
        ...locations.flatMap((it) => ["-schema-location", it]),
      ];
      for (const { name, valuesFile } of [...cases, { name: "everything on", valuesFile: undefined }]) {
        const rendered = await helm.template({
          args: ["--kube-version", version],
          ...(valuesFile === undefined ? { values: everythingOn } : { valuesFile }),
        });
        assert.equal(rendered.code, 0, rendered.stderr);
        const checked = await attempt(tools.kubeconform, args, { input: rendered.stdout });
        assert.equal(checked.code, 0, `${name}: ${checked.stdout}${checked.stderr}`);
        const { valid } = (JSON.parse(checked.stdout) as { summary: { valid: number } }).summary;
        assert.equal(valid, (await helm.read(rendered.stdout)).length, "some were not checked");
      }
    });
  }

  it("is refused by that check when a field is misspelt: the check itself works", async () => {
    const locations = await ensureSchemas("newest", helm);
    const args = ["-strict", ...locations.flatMap((it) => ["-schema-location", it])];
    const { stdout } = await helm.template();
    const broken = stdout.replace("topologySpreadConstraints:", "topologySpreadConstraint:");
    const { code, stdout: said } = await attempt(tools.kubeconform, args, { input: broken });
    assert.notEqual(code, 0);
    assert.match(said, /topologySpreadConstraint/);
  });

  it("gives the program an environment that it accepts and that says what was meant", async () => {
    for (const { name, valuesFile } of cases) {
      const manifests = await render(helm, { valuesFile });
      const environment = at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal"), "data") ?? {};
      const address = at<string>(manifests.find(({ kind }) => kind === "Secret") ?? {}, "data.redis-url");
      const pem = "-----BEGIN CERTIFICATE-----\n";
      const url = address === undefined ? "rediss://waxseal:p@redis.example.org" : decode(address);
      const config = parseConfig(environment, (path) => {
        const signIn = name === "external-redis-cluster" ? "" : "waxseal:p@";
        if (path.endsWith("/keyring/url")) return `rediss://${signIn}keyring.example.org`;
        if (path.endsWith("/password")) return "a password";
        if (path.endsWith("/smtp-url")) return "smtp://waxseal:p@mail.example.org";
        if (path.endsWith("/webhooks.json"))
          return '[{"name": "ops", "url": "http://chat.example.org", "format": "slack"}]';
        if (path.endsWith("/url"))
          return name === "external-redis-cluster" ? "rediss+cluster://redis-1,redis-2" : url;
        return pem;
      });
      assert.equal(config.redis === undefined, name === "embedded", name);
      if (name === "sentinel") {
        assert.ok(config.redis?.kind === "sentinel");
        assert.equal(config.redis.sentinels.length, 3);
        assert.equal(config.redis.sentinelPassword, config.redis.password);
        assert.equal(config.redisWaitReplicas, 2);
      }
      if (name === "ingress-subpath") {
        assert.equal(config.basePath, "/tools/waxseal");
        assert.equal(config.trustProxy, 1);
        assert.equal(config.maxSecretBytes, 10_485_760);
        assert.equal(config.passphraseTries, 20);
        assert.equal(config.metricsPort, 9464);
      }
      if (name === "external-redis-cluster") {
        assert.deepEqual([config.redis?.kind, config.redis?.username], ["cluster", "waxseal"]);
        assert.deepEqual(
          [config.redis?.password, config.keyringRedis?.password],
          ["a password", "a password"],
        );
        assert.equal(config.redisTls.serverName, "redis.example.org");
        assert.equal(config.redisKeyPrefix, "team-a:");
      }
      if (name === "notifications") {
        assert.deepEqual(config.mail?.domains, ["example.org", "example.com"]);
        assert.deepEqual([config.mail?.server.password, config.webhooks[0]?.name], ["p", "ops"]);
        assert.ok(config.mail?.ca && config.webhookCa);
      }
      if (name === "external-redis-tls") {
        assert.ok(config.keyringRedis && config.redisTls.ca && config.redisTls.cert && config.redisTls.key);
      }
    }
  });

  it("lets the bundled Redis' user touch the keys that its settings name", async () => {
    for (const prefix of [undefined, "team-a:"]) {
      const settings = prefix === undefined ? {} : { REDIS_KEY_PREFIX: prefix };
      const manifests = await render(helm, { values: { settings } });
      const rules = at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal-redis"), "data")?.[
        "app.acl"
      ];
      assert.equal(rules?.trim(), aclRules(prefix ?? ""));
    }
  });

  it("puts host and path of publicUrl into Ingress and HTTPRoute", async () => {
    const values = { ...everythingOn, publicUrl: "https://a.example/b/c/" };
    const manifests = await render(helm, { values });
    const [rule] = at<object[]>(find(manifests, "Ingress"), "spec.rules") ?? [];
    assert.equal(at(rule ?? {}, "host"), "a.example");
    assert.equal(at(rule ?? {}, "http.paths.0.path"), "/b/c");
    const route = find(manifests, "HTTPRoute");
    assert.deepEqual(at(route, "spec.hostnames"), ["a.example"]);
    assert.equal(at(route, "spec.rules.0.matches.0.path.value"), "/b/c");
  });

  it("takes every image from the registry of an air-gapped cluster", async () => {
    const registry = "registry.internal:5000/mirror";
    const values = {
      ...everythingOn,
      global: { imageRegistry: registry, imagePullSecrets: [{ name: "pull" }] },
    };
    for (const pod of podsOf(await render(helm, { values }))) {
      for (const { image } of containersOf(pod)) assert.ok(image.startsWith(`${registry}/`), image);
      assert.deepEqual(at(pod, "spec.imagePullSecrets"), [{ name: "pull" }]);
    }
  });

  it("names no user id on OpenShift, or where none is wanted", async () => {
    const asked: TemplateOptions[] = [
      { values: everythingOn, args: ["--api-versions", "security.openshift.io/v1"] },
      { values: { redis: { runAsUser: null } } },
    ];
    for (const options of asked) {
      const { stdout } = await helm.template(options);
      assert.doesNotMatch(stdout, /runAsUser|runAsGroup|fsGroup/);
      assert.match(stdout, /runAsNonRoot: true/);
    }
  });

  it("shows a password nowhere but in its Secret", async () => {
    for (const mode of ["standalone", "sentinel"]) {
      const manifests = await render(helm, { values: { redis: { mode } } });
      const secret = find(manifests, "Secret");
      const passwords = Object.entries(at<Record<string, string>>(secret, "data") ?? {})
        .filter(([key]) => key.endsWith("-password"))
        .map(([, value]) => decode(value));
      assert.equal(passwords.length, mode === "sentinel" ? 3 : 1);
      assert.equal(new Set(passwords).size, passwords.length);
      for (const manifest of manifests) {
        if (manifest === secret) continue;
        for (const password of passwords)
          assert.ok(!JSON.stringify(manifest).includes(password), manifest.kind);
      }
    }
  });

  it("selects pods that there are, by ports that they have", async () => {
    const manifests = await render(helm, { values: everythingOn });
    const pods = podsOf(manifests);
    const selected = (labels: Record<string, string>) =>
      pods.filter((pod) =>
        Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value),
      );
    for (const manifest of manifests) {
      const selector =
        at<Record<string, string>>(manifest, "spec.podSelector.matchLabels") ??
        (manifest.kind === "Service" ? at<Record<string, string>>(manifest, "spec.selector") : undefined) ??
        (manifest.kind === "PodDisruptionBudget"
          ? at<Record<string, string>>(manifest, "spec.selector.matchLabels")
          : undefined);
      if (selector === undefined) continue;
      const matching = selected(selector);
      assert.ok(matching.length > 0, `${manifest.kind} ${manifest.metadata.name} selects nothing`);
      if (manifest.kind !== "Service") continue;
      const ports = matching.flatMap(containersOf).flatMap((container) => container.ports);
      for (const { targetPort } of at<{ targetPort: string }[]>(manifest, "spec.ports") ?? []) {
        assert.ok(
          ports.some(({ name }) => name === targetPort),
          `${manifest.metadata.name}: ${targetPort}`,
        );
      }
    }
    const denied = find(manifests, "NetworkPolicy", "waxseal-default-deny");
    const everything = selected(at<Record<string, string>>(denied, "spec.podSelector.matchLabels") ?? {});
    assert.equal(everything.length, pods.length, "default deny leaves a pod out");
    assert.deepEqual(at(denied, "spec.policyTypes"), ["Ingress", "Egress"]);
  });

  it("mounts of the notifications' Secret what is named, and lets Waxseal out to where they go", async () => {
    const named = { existingSecret: "told", webhooksKey: "hooks", ports: [443, 8443] };
    const notificationsTo = [{ ipBlock: { cidr: "192.0.2.0/24" } }];
    const values = { notifications: named, networkPolicy: { notificationsTo } };
    const manifests = await render(helm, { values });
    const volumes = at<{ name: string }[]>(find(manifests, "Deployment"), "spec.template.spec.volumes") ?? [];
    assert.deepEqual(
      volumes.find(({ name }) => name === "notifications"),
      {
        name: "notifications",
        secret: { secretName: "told", items: [{ key: "hooks", path: "hooks" }] },
      },
    );
    const egress = (of: readonly Manifest[]) =>
      at<object[]>(find(of, "NetworkPolicy", "waxseal-egress"), "spec.egress") ?? [];
    const ports = [{ port: 443 }, { port: 8443 }];
    assert.deepEqual(egress(manifests).at(-1), { ports, to: notificationsTo });
    assert.equal(egress(await render(helm, {})).length, egress(manifests).length - 1);
  });

  it("leaves Redis alone when only Waxseal changes", async () => {
    const podOfRedis = async (values: object) =>
      at(find(await render(helm, { values }), "StatefulSet"), "spec.template");
    const changed = { image: { tag: "9.9.9" }, commonLabels: { team: "a" }, settings: { MAX_TTL: "7d" } };
    assert.deepEqual(await podOfRedis(changed), await podOfRedis({}));
  });

  it("restarts Waxseal when its settings change", async () => {
    const annotations = async (values: object) =>
      at(find(await render(helm, { values }), "Deployment"), "spec.template.metadata.annotations");
    assert.notDeepEqual(await annotations({ settings: { MAX_TTL: "7d" } }), await annotations({}));
    assert.deepEqual(await annotations({}), await annotations({}), "and not at every rendering");
  });

  it("mounts what an operator brings, such as a database of countries", async () => {
    const volume = { name: "geoip", persistentVolumeClaim: { claimName: "geoip", readOnly: true } };
    const mount = { name: "geoip", mountPath: "/data/geoip", readOnly: true };
    const settings = { GEOIP_DB: "/data/geoip/GeoLite2-Country.mmdb" };
    for (const redis of [{ mode: "standalone" }, { mode: "none" }]) {
      const values = {
        redis,
        replicaCount: 1,
        autoscaling: { enabled: false },
        settings,
        extraVolumes: [volume],
        extraVolumeMounts: [mount],
      };
      const manifests = await render(helm, { values });
      const pod = "spec.template.spec";
      const deployment = find(manifests, "Deployment");
      assert.deepEqual(at<unknown[]>(deployment, `${pod}.volumes`)?.at(-1), volume);
      assert.deepEqual(at<unknown[]>(deployment, `${pod}.containers.0.volumeMounts`)?.at(-1), mount);
      assert.equal(at(find(manifests, "ConfigMap", "waxseal"), "data.GEOIP_DB"), settings.GEOIP_DB);
    }
  });

  it("lets proxies forget a pod before it stops, and gives it the time to finish", async () => {
    const deployment = find(await render(helm, { values: { drainSeconds: 20 } }), "Deployment");
    assert.equal(at(deployment, "spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds"), 20);
    const grace = at<number>(deployment, "spec.template.spec.terminationGracePeriodSeconds") ?? 0;
    assert.ok(grace >= 20 + 10, `${grace} s`);
    assert.equal(at(deployment, "spec.strategy.rollingUpdate.maxUnavailable"), 0);
  });

  it("asks for metrics that the program has", async () => {
    const registered = createMetrics({ countPending: async () => 0, memory: async () => [] }).registry;
    registerNotifications(registered, createMemoryOutbox(), []);
    createSyslogMetrics(registered).follow(() => 0);
    const known = new Set(registered.getMetricsAsArray().map(({ name }) => name));
    const manifests = await render(helm, { values: everythingOn });
    const rules = JSON.stringify(at(find(manifests, "PrometheusRule"), "spec"));
    const dashboard = dashboardOf(manifests);
    assert.ok((JSON.parse(dashboard) as { panels: unknown[] }).panels.length > 8);
    const names = `${rules}${dashboard}`.match(/waxseal_[a-z_]+/g) ?? [];
    assert.ok(names.length > 15);
    for (const name of names) assert.ok(known.has(name.replace(/_(bucket|count|sum)$/, "")), name);
  });

  it("alerts when it should, in PromQL that Prometheus understands", async () => {
    const manifests = await render(helm, { values: everythingOn });
    const folder = await mkdtemp(join(tmpdir(), "waxseal-rules-"));
    try {
      // JSON is YAML.
      const rules = at<object>(find(manifests, "PrometheusRule"), "spec") ?? {};
      await writeFile(join(folder, "rules.yaml"), JSON.stringify(rules));
      const { panels } = JSON.parse(dashboardOf(manifests)) as { panels: { targets: { expr: string }[] }[] };
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const asked = queries.map((expr, i) => ({
        record: `panel:${i}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$__range", "6h"),
      }));
      await writeFile(
        join(folder, "panels.yaml"),
        JSON.stringify({ groups: [{ name: "panels", rules: asked }] }),
      );
      await writeFile(join(folder, "test.yaml"), JSON.stringify(alertTest));
      await run(tools.promtool, ["check", "rules", "rules.yaml", "panels.yaml"], { cwd: folder });
      await run(tools.promtool, ["test", "rules", "test.yaml"], { cwd: folder });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

const dashboardOf = (manifests: readonly Manifest[]) =>
  at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal-dashboard"), "data")?.["waxseal.json"] ??
  "";

/**
 * Ten minutes of two pods, one of which loses Redis after five; somebody guesses, and Redis is full once. The
 * receiver of webhooks is away from the start and in the end a letter is dead; mails go out. So is the syslog
 * receiver, for good, until lines are dropped.
 */
const alertTest = (() => {
  const series = (name: string, values: string, more = "") => ({
    series: `${name}{namespace="sealed",job="waxseal-metrics",pod="a"${more}}`,
    values,
  });
  const alerts = (at: string, alertname: string, count: number) => ({
    eval_time: at,
    expr: `count(ALERTS{alertname="${alertname}",alertstate="firing"}) or vector(0)`,
    exp_samples: [{ labels: "{}", value: count }],
  });
  return {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: [
          series("up", "1x20"),
          series("waxseal_store_up", "1x5 0x15"),
          series("waxseal_wrong_passphrases_total", "0+10x20"),
          series("waxseal_store_memory_head_room_bytes", "100-10x20", ',store="redis"'),
          series("waxseal_store_memory_budget_bytes", "100x20", ',store="redis"'),
          series("waxseal_store_memory_head_room_bytes", "100x20", ',store="keyring"'),
          series("waxseal_store_memory_budget_bytes", "100x20", ',store="keyring"'),
          series("waxseal_http_request_duration_seconds_count", "0+100x20", ',status="200"'),
          series("waxseal_http_request_duration_seconds_count", "0x10 1x10", ',status="507"'),
          series("waxseal_notifications_dead_total", "0x60 1x20", ',channel="webhook"'),
          series("waxseal_notifications_refused_total", "0x80", ',channel="webhook"'),
          series("waxseal_notifications_dead_total", "0x80", ',channel="mail"'),
          series("waxseal_notifications_refused_total", "0x80", ',channel="mail"'),
          // Between two attempts it waits, and during one it doesn't.
          series("waxseal_notifications_delayed", "0x4 1x3 0 1x72", ',channel="webhook"'),
          series("waxseal_notifications_delayed", "0x4 1x3 0x73", ',channel="mail"'),
          series("waxseal_audit_syslog_waiting", "0x4 1+1x80"),
          series("waxseal_audit_syslog_dropped_total", "0x60 1+5x20"),
        ],
        promql_expr_test: [
          alerts("4m", "WaxsealStoreDown", 0),
          alerts("8m", "WaxsealStoreDown", 1),
          alerts("15m", "WaxsealDown", 0),
          alerts("15m", "WaxsealGuessing", 1),
          alerts("9m", "WaxsealStoreFull", 0),
          alerts("12m", "WaxsealStoreFull", 1),
          alerts("13m", "WaxsealStoreLow", 0),
          alerts("15m", "WaxsealStoreLow", 1),
          alerts("15m", "WaxsealErrors", 0),
          alerts("33m", "WaxsealNotificationsLate", 0),
          alerts("40m", "WaxsealNotificationsLate", 1),
          alerts("60m", "WaxsealNotificationsLost", 0),
          alerts("63m", "WaxsealNotificationsLost", 1),
          alerts("8m", "WaxsealAuditLate", 0),
          alerts("16m", "WaxsealAuditLate", 1),
          alerts("60m", "WaxsealAuditDropped", 0),
          alerts("63m", "WaxsealAuditDropped", 1),
        ],
      },
      { interval: "1m", input_series: [], promql_expr_test: [alerts("5m", "WaxsealDown", 1)] },
    ],
  };
})();
