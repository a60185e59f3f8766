import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { at, chartFolder, type Helm, type Manifest, type TemplateOptions } from "./helm.ts";

const ci = join(chartFolder, "ci");
/** The matrix: what operators ask of the chart, one file each. */
export const cases = readdirSync(ci).map((file) => ({
  name: file.replace("-values.yaml", ""),
  valuesFile: join(ci, file),
}));
export const everythingOn = {
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

/** Renders and reads; what the chart refuses fails the test with the chart's own words. */
export async function render(helm: Helm, options: TemplateOptions = {}): Promise<Manifest[]> {
  const { code, stdout, stderr } = await helm.template(options);
  assert.equal(code, 0, stderr);
  return helm.read(stdout);
}

export function find(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (it) => it.kind === kind && (name === undefined || it.metadata.name === name),
  );
  assert.equal(found.length, 1, `${found.length} of ${kind} ${name ?? ""}`);
  return found[0] as Manifest;
}

/** The pods that a list of manifests would lead to, as bare pods. */
export function podsOf(manifests: readonly Manifest[]): Manifest[] {
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
export const containersOf = (pod: Manifest) => at<Container[]>(pod, "spec.containers") ?? [];

export const decode = (base64: string) => Buffer.from(base64, "base64").toString();
