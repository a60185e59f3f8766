import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attempt, type Ran, run } from "./run.ts";

export const chartFolder = fileURLToPath(new URL("../../../deploy/chart", import.meta.url));

/** What is read of a Kubernetes object here; the rest is reached by `at`. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

export interface TemplateOptions {
  readonly values?: object;
  readonly valuesFile?: string;
  readonly args?: readonly string[];
  readonly namespace?: string;
}

export interface Helm {
  readonly lint: (args?: readonly string[]) => Promise<Ran>;
  /** The rendered YAML. */
  readonly template: (options?: TemplateOptions) => Promise<Ran>;
  readonly run: (args: readonly string[], values?: object) => Promise<Ran>;
  /** Every document of a YAML text, read by the very parser that Kubernetes uses. */
  readonly read: (yaml: string) => Promise<Manifest[]>;
  readonly stop: () => Promise<void>;
}

/** A helm with a home of its own, so that nobody's repositories, plug-ins and clusters are seen. */
export async function createHelm(helm: string, environment: NodeJS.ProcessEnv = {}): Promise<Helm> {
  const home = await mkdtemp(join(tmpdir(), "waxseal-helm-"));
  const env = {
    ...process.env,
    HELM_CACHE_HOME: join(home, "cache"),
    HELM_CONFIG_HOME: join(home, "config"),
    HELM_DATA_HOME: join(home, "data"),
    HELM_PLUGINS: join(home, "plugins"),
    KUBECONFIG: join(home, "no-cluster"),
    ...environment,
  };

  // helm reads YAML as Kubernetes does, and writes JSON: that makes it the converter, too.
  const reader = join(home, "reader");
  await mkdir(join(reader, "templates"), { recursive: true });
  await writeFile(join(reader, "Chart.yaml"), "apiVersion: v2\nname: reader\nversion: 1.0.0\n");
  await writeFile(
    join(reader, "templates", "json.yaml"),
    "{{ range .Values.documents }}\n---\n{{ fromYaml . | toJson }}\n{{ end }}",
  );

  const invoke = (args: readonly string[], values?: object) =>
    attempt(helm, values === undefined ? args : [...args, "-f", "-"], {
      env,
      ...(values === undefined ? {} : { input: JSON.stringify(values) }),
    });

  return {
    lint: (args = []) => invoke(["lint", "--strict", chartFolder, ...args]),
    template: ({ values, valuesFile, args = [], namespace = "sealed" } = {}) =>
      invoke(
        [
          ...["template", "waxseal", chartFolder, "-n", namespace],
          ...(valuesFile === undefined ? [] : ["-f", valuesFile]),
          ...args,
        ],
        values,
      ),
    run: invoke,
    read: async (yaml) => {
      const documents = yaml.split(/^---.*$/m).filter((document) => /^\w/m.test(document));
      const json = await run(helm, ["template", reader, "-f", "-"], {
        env,
        input: JSON.stringify({ documents }),
      });
      return json
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => {
          const manifest = JSON.parse(line) as Manifest & { readonly Error?: string };
          if (manifest.Error !== undefined) throw new Error(`not YAML: ${manifest.Error}`);
          return manifest;
        });
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}

/** What stands at a path such as "spec.template.spec", or undefined. */
export function at<T = unknown>(object: object, path: string): T | undefined {
  let here: unknown = object;
  for (const step of path.split(".")) here = (here as Record<string, unknown> | null | undefined)?.[step];
  return here as T | undefined;
}
