// Kubernetes' own OpenAPI document, and the definitions of the custom resources in use, in the layout
// that kubeconform reads: one JSON schema for each kind.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Helm } from "./helm.ts";
import { ensure, goModule } from "./tools.ts";
import { gatewayApiVersions, newest, oldest, prometheusOperatorVersion } from "./versions.ts";

/** Raised whenever the conversion changes, so that old results are not used again. */
const layout = 1;

type Schema = { [key: string]: unknown };
interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** `--schema-location` values for kubeconform, for one version of everything. */
export async function ensureSchemas(
  which: "oldest" | "newest",
  helm: Pick<Helm, "read">,
  log: (line: string) => void = () => {},
): Promise<string[]> {
  const kubernetes = (which === "oldest" ? oldest : newest).version;
  const gateway = gatewayApiVersions[which];
  const name = `schemas-${layout}-${kubernetes}-${gateway}-${prometheusOperatorVersion}`;
  const marker = await ensure(name, "complete", log, async (folder) => {
    await writeKubernetesSchemas(kubernetes, folder);
    await writeCustomSchemas(gateway, folder, helm);
    await writeFile(join(folder, "complete"), "");
  });
  return [join(dirname(marker), "{{.ResourceKind}}{{.KindSuffix}}.json")];
}

/** The definitions of the custom resources in use, as the API server takes them. */
export async function customResourceDefinitions(
  gateway: string,
  helm: Pick<Helm, "read">,
): Promise<object[]> {
  const gatewayApi = await goModule("sigs.k8s.io/gateway-api", gateway);
  const operator = await goModule(
    "github.com/prometheus-operator/prometheus-operator",
    prometheusOperatorVersion,
  );
  const files = [
    join(gatewayApi, "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"),
    join(operator, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
    join(operator, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
  ];
  const read = await Promise.all(files.map(async (file) => helm.read(await readFile(file, "utf8"))));
  return read.flat();
}

async function writeKubernetesSchemas(version: string, folder: string): Promise<void> {
  const source = await goModule("k8s.io/kubernetes", version);
  const swagger = JSON.parse(await readFile(join(source, "api/openapi-spec/swagger.json"), "utf8")) as {
    definitions: Record<string, Schema>;
  };
  const definitions = Object.fromEntries(
    Object.entries(swagger.definitions).map(([name, schema]) => [name, strict(name, schema)]),
  );
  for (const [name, schema] of Object.entries(swagger.definitions)) {
    const kinds = schema["x-kubernetes-group-version-kind"] as GroupVersionKind[] | undefined;
    // Options and the like belong to every group; nobody writes manifests of them.
    if (kinds?.length !== 1 || kinds[0] === undefined) continue;
    const used = reachable(name, definitions);
    await writeSchema(folder, kinds[0], {
      ...withKind(definitions[name] ?? {}, kinds[0]),
      definitions: used,
    });
  }
}

async function writeCustomSchemas(gateway: string, folder: string, helm: Pick<Helm, "read">): Promise<void> {
  for (const definition of await customResourceDefinitions(gateway, helm)) {
    const { spec } = definition as {
      spec: {
        group: string;
        names: { kind: string };
        versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
      };
    };
    for (const { name, schema } of spec.versions) {
      const kind = { group: spec.group, version: name, kind: spec.names.kind };
      await writeSchema(folder, kind, withKind(strict("", schema.openAPIV3Schema), kind));
    }
  }
}

/** kubeconform names a schema after the kind, the first part of the group, and the version. */
async function writeSchema(
  folder: string,
  { group, version, kind }: GroupVersionKind,
  schema: Schema,
): Promise<void> {
  const [firstOfGroup] = group.split(".");
  const suffix = group === "" ? version : `${firstOfGroup}-${version}`;
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${kind.toLowerCase()}-${suffix}.json`);
  await writeFile(file, JSON.stringify({ $schema: "http://json-schema.org/draft-07/schema#", ...schema }));
}

function withKind(schema: Schema, { group, version, kind }: GroupVersionKind): Schema {
  const properties = schema.properties as Schema;
  return {
    ...schema,
    required: [...new Set([...((schema.required as string[]) ?? []), "apiVersion", "kind", "metadata"])],
    properties: {
      ...properties,
      apiVersion: { const: group === "" ? version : `${group}/${version}` },
      kind: { const: kind },
    },
  };
}

/**
 * The schema as the API server's strict field validation reads it: no field that is not named, and
 * numbers where OpenAPI v2 has no way to say "string or number".
 */
function strict(name: string, schema: Schema): Schema {
  if (/\.(IntOrString|Quantity)$/.test(name) || schema.format === "int-or-string") {
    return { type: ["string", "number"] };
  }
  if (schema["x-kubernetes-int-or-string"] === true) return { type: ["string", "number"] };
  const result: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith("x-kubernetes-") || key === "description" || key === "default") continue;
    // Go's idea of a format or a pattern is not JavaScript's or JSON schema's.
    if (key === "format") continue;
    result[key] = strictPart(key, value);
  }
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || "additionalProperties" in schema;
  if ("properties" in schema && !open) result.additionalProperties = false;
  return result;
}

function strictPart(key: string, value: unknown): unknown {
  if (key === "properties") {
    return Object.fromEntries(
      Object.entries(value as Schema).map(([name, part]) => [name, strict("", part as Schema)]),
    );
  }
  if (key === "items" || key === "additionalProperties") {
    return typeof value === "object" && value !== null ? strict("", value as Schema) : value;
  }
  // Conditions repeat some properties of their parent, so they must stay open; as they are.
  return value;
}

function reachable(root: string, definitions: Record<string, Schema>): Record<string, Schema> {
  const found: Record<string, Schema> = {};
  const visit = (part: unknown): void => {
    if (typeof part !== "object" || part === null) return;
    const reference = (part as Schema).$ref;
    if (typeof reference === "string") {
      const name = reference.replace("#/definitions/", "");
      const schema = definitions[name];
      if (schema === undefined || name in found) return;
      found[name] = schema;
      visit(schema);
    }
    for (const value of Object.values(part)) visit(value);
  };
  visit(definitions[root]);
  return found;
}
