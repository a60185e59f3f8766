import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parseConfig } from "../../config/parse-config.ts";
import { at, chartFolder, createHelm, type Helm, type Manifest } from "./helm.ts";
import { decode, find, podsOf } from "./manifests.ts";
import { ensureTools } from "./tools.ts";

let helm: Helm;
before(async () => {
  helm = await createHelm((await ensureTools()).helm);
});
after(() => helm?.stop());

/** Of the namespace that both releases share. */
async function release(name: string, file: string): Promise<Manifest[]> {
  const valuesFile = join(chartFolder, "ci", `${file}-values.yaml`);
  const { code, stdout, stderr } = await helm.run([
    ...["template", name, chartFolder, "-n", "sealed", "-f", valuesFile],
  ]);
  assert.equal(code, 0, stderr);
  return helm.read(stdout);
}

interface Peer {
  readonly podSelector?: {
    readonly matchLabels?: Record<string, string>;
    readonly matchExpressions?: { key: string; values: string[] }[];
  };
}

function selects({ podSelector }: Peer, pod: Manifest): boolean {
  const { matchLabels = {}, matchExpressions = [] } = podSelector ?? {};
  const labels = pod.metadata.labels ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ""))
  );
}

const podCalled = (manifests: readonly Manifest[], name: string) =>
  find(podsOf(manifests), "Pod", `${name}-pod`);

describe("two releases on one Redis, one that creates and one that opens", () => {
  it("reach the same Redis by the same Secret, and links of the one lead to the other", async () => {
    const creating = await release("waxseal", "role-create");
    const opening = await release("waxseal-open", "role-open");
    const secret = find(creating, "Secret", "waxseal-redis");
    const url = decode(at<Record<string, string>>(secret, "data")?.["redis-url"] ?? "");
    const configOf = (manifests: readonly Manifest[], name: string) =>
      parseConfig(at<Record<string, string>>(find(manifests, "ConfigMap", name), "data") ?? {}, () => url);
    const [inside, outside] = [configOf(creating, "waxseal"), configOf(opening, "waxseal-open")];
    assert.deepEqual([inside.role, outside.role], ["create", "open"]);
    assert.equal(inside.linkUrl.href, outside.publicUrl.href);
    const volumesOf = (manifests: readonly Manifest[], name: string) =>
      at(podCalled(manifests, name), "spec.volumes");
    assert.deepEqual(volumesOf(opening, "waxseal-open"), volumesOf(creating, "waxseal"));
    assert.equal(opening.filter(({ kind }) => kind === "StatefulSet").length, 0);
  });

  it("are let through to that Redis, both and nobody else", async () => {
    const creating = await release("waxseal", "role-create");
    const opening = await release("waxseal-open", "role-open");
    const opener = podCalled(opening, "waxseal-open");
    const redis = podCalled(creating, "waxseal-redis");
    const from = at<Peer[]>(find(creating, "NetworkPolicy", "waxseal-redis"), "spec.ingress.0.from") ?? [];
    const comesIn = (pod: Manifest) => from.some((peer) => selects(peer, pod));
    assert.ok(comesIn(opener) && comesIn(podCalled(creating, "waxseal")));
    const stranger = await release("waxseal-third", "role-open");
    assert.ok(!comesIn(podCalled(stranger, "waxseal-third")));
    const egress =
      at<{ ports: { port: number }[]; to?: Peer[] }[]>(
        find(opening, "NetworkPolicy", "waxseal-open-egress"),
        "spec.egress",
      ) ?? [];
    const toRedis = egress.filter(({ ports }) => ports.some(({ port }) => port === 6379));
    assert.equal(toRedis.length, 1);
    const goesOut = (pod: Manifest) => (toRedis[0]?.to ?? []).some((peer) => selects(peer, pod));
    assert.ok(goesOut(redis));
    assert.ok(!goesOut(opener));
  });
});
