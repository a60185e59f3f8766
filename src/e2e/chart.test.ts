import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { chartSchema, chartSchemaFile, derivedSettings } from "../build/chart-schema.ts";
import { parseConfig } from "../config/parse-config.ts";
import { describeSettings } from "../config/schema.ts";
import { createMetrics } from "../web/metrics.ts";
import { type ApiServer, startApiServer } from "./kubernetes/api-server.ts";
import { at, chartFolder, createHelm, type Helm, type Manifest } from "./kubernetes/helm.ts";
import { attempt } from "./kubernetes/run.ts";
import { customResourceDefinitions, ensureSchemas } from "./kubernetes/schemas.ts";
import { ensureTools, type Tools } from "./kubernetes/tools.ts";
import { gatewayApiVersions, newest, oldest } from "./kubernetes/versions.ts";

const ci = join(chartFolder, "ci");
const cases = readdirSync(ci).map((file) => ({
  name: file.replace("-values.yaml", ""),
  valuesFile: join(ci, file),
}));
const everythingOn = {
  publicUrl: "https://waxseal.example.org",
  redis: { mode: "sentinel" },
  ingress: { enabled: true },
  httpRoute: { enabled: true, parentRefs: [{ name: "public" }] },
  autoscaling: { enabled: true },
  metrics: {
    enabled: true,
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};

let tools: Tools;
let helm: Helm;

/** Renders and reads; what the chart refuses fails the test with the chart's own words. */
async function render(options: Parameters<Helm["template"]>[0] = {}): Promise<Manifest[]> {
  const { code, stdout, stderr } = await helm.template(options);
  assert.equal(code, 0, stderr);
  return helm.read(stdout);
}

function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (it) => it.kind === kind && (name === undefined || it.metadata.name === name),
  );
  assert.equal(found.length, 1, `${found.length} of ${kind} ${name ?? ""}`);
  return found[0] as Manifest;
}

/** The pods that a list of manifests would lead to, as bare pods. */
function podsOf(manifests: readonly Manifest[]): Manifest[] {
  return manifests.flatMap((manifest) => {
    if (manifest.kind === "Pod") return [manifest];
    if (manifest.kind !== "Deployment" && manifest.kind !== "StatefulSet") return [];
    const template = at<Manifest>(manifest, "spec.template") as Manifest;
    const metadata = { ...template.metadata, name: `${manifest.metadata.name}-pod` };
    return [{ ...template, apiVersion: "v1", kind: "Pod", metadata }];
  });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly ports: readonly { readonly name: string }[];
}
const containersOf = (pod: Manifest) => at<Container[]>(pod, "spec.containers") ?? [];

const decode = (base64: string) => Buffer.from(base64, "base64").toString();

before(async () => {
  tools = await ensureTools();
  helm = await createHelm(tools.helm);
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
      const manifests = await render({ valuesFile });
      const environment = at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal"), "data") ?? {};
      const address = at<string>(manifests.find(({ kind }) => kind === "Secret") ?? {}, "data.redis-url");
      const pem = "-----BEGIN CERTIFICATE-----\n";
      const url = address === undefined ? "rediss://waxseal:p@redis.example.org" : decode(address);
      const config = parseConfig(environment, (path) => {
        if (path.endsWith("/keyring/url")) return "rediss://waxseal:p@keyring.example.org";
        return path.endsWith("/url") ? url : pem;
      });
      assert.equal(config.redis === undefined, name === "embedded", name);
      if (name === "sentinel") {
        assert.ok(config.redis?.kind === "sentinel");
        assert.equal(config.redis.sentinels.length, 3);
        assert.equal(config.redis.sentinelPassword, config.redis.password);
        assert.equal(config.redisReplicas, 2);
      }
      if (name === "ingress-subpath") {
        assert.equal(config.basePath, "/tools/waxseal");
        assert.equal(config.trustProxy, 1);
        assert.equal(config.maxSecretBytes, 104_857_600);
        assert.equal(config.passphraseTries, 20);
        assert.equal(config.metricsPort, 9464);
      }
      if (name === "external-redis-tls") {
        assert.ok(config.keyringRedis && config.redisTls.ca && config.redisTls.cert && config.redisTls.key);
      }
    }
  });

  it("puts host and path of publicUrl into Ingress and HTTPRoute", async () => {
    const values = { ...everythingOn, publicUrl: "https://a.example/b/c/" };
    const manifests = await render({ values });
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
    for (const pod of podsOf(await render({ values }))) {
      for (const { image } of containersOf(pod)) assert.ok(image.startsWith(`${registry}/`), image);
      assert.deepEqual(at(pod, "spec.imagePullSecrets"), [{ name: "pull" }]);
    }
  });

  it("names no user id on OpenShift, or where none is wanted", async () => {
    const asked: Parameters<Helm["template"]>[0][] = [
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
      const manifests = await render({ values: { redis: { mode } } });
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
    const manifests = await render({ values: everythingOn });
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

  it("leaves Redis alone when only Waxseal changes", async () => {
    const podOfRedis = async (values: object) =>
      at(find(await render({ values }), "StatefulSet"), "spec.template");
    const changed = { image: { tag: "9.9.9" }, commonLabels: { team: "a" }, settings: { MAX_TTL: "7d" } };
    assert.deepEqual(await podOfRedis(changed), await podOfRedis({}));
  });

  it("restarts Waxseal when its settings change", async () => {
    const annotations = async (values: object) =>
      at(find(await render({ values }), "Deployment"), "spec.template.metadata.annotations");
    assert.notDeepEqual(await annotations({ settings: { MAX_TTL: "7d" } }), await annotations({}));
    assert.deepEqual(await annotations({}), await annotations({}), "and not at every rendering");
  });

  it("lets proxies forget a pod before it stops, and gives it the time to finish", async () => {
    const deployment = find(await render({ values: { drainSeconds: 20 } }), "Deployment");
    assert.equal(at(deployment, "spec.template.spec.containers.0.lifecycle.preStop.sleep.seconds"), 20);
    const grace = at<number>(deployment, "spec.template.spec.terminationGracePeriodSeconds") ?? 0;
    assert.ok(grace >= 20 + 10, `${grace} s`);
    assert.equal(at(deployment, "spec.strategy.rollingUpdate.maxUnavailable"), 0);
  });

  it("asks for metrics that the program has", async () => {
    const registered = createMetrics({ countPending: async () => 0 }).registry;
    const known = new Set(registered.getMetricsAsArray().map(({ name }) => name));
    const manifests = await render({ values: everythingOn });
    const rules = JSON.stringify(at(find(manifests, "PrometheusRule"), "spec"));
    const dashboard =
      at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal-dashboard"), "data")?.[
        "waxseal.json"
      ] ?? "";
    assert.ok((JSON.parse(dashboard) as { panels: unknown[] }).panels.length > 8);
    const names = `${rules}${dashboard}`.match(/waxseal_[a-z_]+/g) ?? [];
    assert.ok(names.length > 15);
    for (const name of names) assert.ok(known.has(name.replace(/_(bucket|count|sum)$/, "")), name);
  });
});

describe("a real API server with Pod Security restricted", () => {
  let server: ApiServer;
  before(async () => {
    server = await startApiServer(tools);
    for (const definition of await customResourceDefinitions(gatewayApiVersions.newest, helm)) {
      const { status, body } = await server.create(definition, { namespace: "default", dryRun: false });
      assert.equal(status, 201, body.message);
    }
  });
  after(() => server?.stop());

  /** A namespace that enforces, and that also warns about workloads whose pods it would refuse. */
  async function createNamespace(name: string): Promise<void> {
    const modes = ["enforce", "warn", "audit"].map((mode) => [
      `pod-security.kubernetes.io/${mode}`,
      "restricted",
    ]);
    const metadata = { name, labels: Object.fromEntries(modes) as Record<string, string> };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata };
    assert.equal((await server.create(namespace, { namespace: "", dryRun: false })).status, 201);
    for (const account of ["default", "waxseal"]) {
      const manifest = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account } };
      assert.equal((await server.create(manifest, { namespace: name, dryRun: false })).status, 201);
    }
  }

  it("is of the newest version that the chart claims", async () => {
    const { body } = await server.call("/version");
    assert.equal(body.gitVersion, newest.version);
  });

  it("refuses a careless pod, and warns of a careless Deployment: the check itself works", async () => {
    await createNamespace("careless");
    const [deployment] = (await render()).filter(({ kind }) => kind === "Deployment");
    const careless = JSON.parse(
      JSON.stringify(deployment).replace('"runAsNonRoot":true', '"runAsNonRoot":false'),
    ) as Manifest;
    const warned = await server.create(careless, { namespace: "careless", dryRun: true });
    assert.equal(warned.status, 201);
    assert.match(warned.warnings.join(), /would violate PodSecurity "restricted/);
    const [pod] = podsOf([careless]);
    const refused = await server.create(pod ?? {}, { namespace: "careless", dryRun: true });
    assert.equal(refused.status, 403);
    assert.match(refused.body.message ?? "", /violates PodSecurity "restricted/);
  });

  for (const { name, valuesFile } of [...cases, { name: "everything-on", valuesFile: undefined }]) {
    it(`accepts ${name}, each pod included, without a warning`, async () => {
      await createNamespace(name);
      const options = valuesFile === undefined ? { values: everythingOn } : { valuesFile };
      const manifests = await render({ ...options, namespace: name });
      const wanted = manifests.filter((it) => it.kind !== "ServiceAccount");
      const pods = podsOf(manifests);
      assert.ok(pods.length >= 2, "app and test at least");
      for (const manifest of [...wanted, ...pods.filter((pod) => !wanted.includes(pod))]) {
        const { status, warnings, body } = await server.create(manifest, { namespace: name, dryRun: true });
        const what = `${manifest.kind} ${manifest.metadata.name}`;
        assert.equal(status, 201, `${what}: ${body.message}`);
        assert.deepEqual(warnings, [], what);
        if (manifest.kind !== "Pod") continue;
        // As admitted, with every default filled in.
        assert.equal(at(body, "spec.automountServiceAccountToken"), false, what);
        const volumes = at<{ name: string }[]>(body, "spec.volumes") ?? [];
        assert.ok(
          !volumes.some((volume) => volume.name.startsWith("kube-api-access")),
          `${what} has a token`,
        );
        for (const container of containersOf(body)) {
          assert.equal(at(container, "securityContext.readOnlyRootFilesystem"), true, what);
        }
      }
    });
  }

  it("keeps credentials across helm upgrade, and says how to reach it and what is not yet safe", async () => {
    await server.create(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "upgraded" } },
      { namespace: "", dryRun: false },
    );
    const cluster = await createHelm(tools.helm, { KUBECONFIG: server.kubeconfig });
    try {
      const secretNow = async () => {
        const { body } = await server.call("/api/v1/namespaces/upgraded/secrets/waxseal-redis");
        return at<Record<string, string>>(body, "data") ?? {};
      };
      const args = ["waxseal", chartFolder, "-n", "upgraded"];
      const installed = await cluster.run(["install", ...args]);
      assert.equal(installed.code, 0, installed.stderr);
      assert.match(installed.stdout, /port-forward service\/waxseal 8080:8080/);
      assert.match(installed.stdout, /Links lead to localhost, so only you can open them/);
      assert.match(installed.stdout, /when its pod moves or restarts, pending secrets are lost/);
      const first = await secretNow();
      assert.match(decode(first["redis-password"] ?? ""), /^[A-Za-z0-9]{40}$/);

      const values = {
        redis: { mode: "sentinel" },
        publicUrl: "https://a.example",
        ingress: { enabled: true },
      };
      const upgraded = await cluster.run(["upgrade", ...args], values);
      assert.equal(upgraded.code, 0, upgraded.stderr);
      assert.match(upgraded.stdout, /https:\/\/a\.example/);
      assert.match(upgraded.stdout, /Any pod may pose as the proxy/);
      const second = await secretNow();
      assert.equal(second["redis-password"], first["redis-password"]);
      assert.match(decode(second["redis-url"] ?? ""), /^redis\+sentinel:\/\//);

      const again = await cluster.run(["upgrade", ...args, "--set", "replicaCount=3"], values);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(await secretNow(), second);
    } finally {
      await cluster.stop();
    }
  });
});
