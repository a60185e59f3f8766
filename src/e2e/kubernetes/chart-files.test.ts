import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parseConfig } from "../../config/parse-config.ts";
import { at, chartFolder, createHelm, type Helm, type Manifest } from "./helm.ts";
import { find, podsOf, render } from "./manifests.ts";
import { ensureTools } from "./tools.ts";

let helm: Helm;
before(async () => {
  helm = await createHelm((await ensureTools()).helm);
});
after(() => helm?.stop());

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
}

const egressOf = (manifests: readonly Manifest[]) =>
  at<{ ports: { port: number }[] }[]>(find(manifests, "NetworkPolicy", "waxseal-egress"), "spec.egress") ??
  [];

describe("files and receivers that the chart hands on", () => {
  it("are mounted as folders in the app and in its test, where the settings look for them", async () => {
    const valuesFile = join(chartFolder, "ci", "countries-and-syslog-values.yaml");
    const manifests = await render(helm, { valuesFile });
    const environment = at<Record<string, string>>(find(manifests, "ConfigMap", "waxseal"), "data") ?? {};
    const config = parseConfig(environment, (path) =>
      path.endsWith("/url") ? "redis://redis" : "-----BEGIN CERTIFICATE-----\n",
    );
    const receiver = { host: "logs.example.org", port: 6514, tls: true };
    assert.deepEqual({ ...config.auditSyslog, ca: undefined }, { ...receiver, ca: undefined });
    assert.ok(config.auditSyslog?.ca);
    assert.equal(config.auditAddresses, "network");
    const files = [config.geoipDb, environment.AUDIT_SYSLOG_CA_FILE, "/etc/authorities/ca.crt"];
    const pods = podsOf(manifests).filter(({ metadata }) => !metadata.name.includes("redis"));
    assert.equal(pods.length, 2);
    for (const pod of pods) {
      const mounts = at<Mount[]>(pod, "spec.containers.0.volumeMounts") ?? [];
      const volumes = at<{ name: string }[]>(pod, "spec.volumes") ?? [];
      for (const file of files) {
        const mount = mounts.find(({ mountPath }) => file?.startsWith(`${mountPath}/`));
        // A file mounted by subPath would stay what it was when the pod started.
        assert.equal(mount?.subPath, undefined, file);
        assert.ok(
          volumes.some(({ name }) => name === mount?.name),
          file,
        );
      }
    }
  });

  it("open the NetworkPolicy for the receiver's port alone, and only where there is one", async () => {
    const before = egressOf(await render(helm)).length;
    for (const [url, port] of [
      ["syslog+tls://logs.example.org", 6514],
      ["syslog://logs.example.org/", 514],
      ["syslog+tls://[2001:db8::5]:10514", 10514],
      ["syslog+tls://[2001:db8::5]", 6514],
    ] as const) {
      const auditSyslogTo = [{ ipBlock: { cidr: "192.0.2.0/24" } }];
      const values = { auditSyslog: { url }, networkPolicy: { auditSyslogTo } };
      const egress = egressOf(await render(helm, { values }));
      assert.equal(egress.length, before + 1);
      assert.deepEqual(egress.at(-1), { ports: [{ port }], to: auditSyslogTo }, url);
    }
  });
});
