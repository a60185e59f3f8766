import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { at, chartFolder, createHelm, type Helm, type Manifest } from "./helm.ts";
import { cases, containersOf, decode, everythingOn, podsOf, render } from "./manifests.ts";
import { customResourceDefinitions } from "./schemas.ts";
import { ensureTools, type Tools } from "./tools.ts";
import { gatewayApiVersions, newest } from "./versions.ts";

let tools: Tools;
let helm: Helm;
before(async () => {
  tools = await ensureTools();
  helm = await createHelm(tools.helm);
});
after(() => helm?.stop());

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
    const [deployment] = (await render(helm)).filter(({ kind }) => kind === "Deployment");
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
      const manifests = await render(helm, { ...options, namespace: name });
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
