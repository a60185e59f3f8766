// A real kube-apiserver on an etcd of its own, on free ports of 127.0.0.1, with everything in a
// temporary folder. No controllers and no nodes: what is created stays as it was admitted.

import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../testing/free-port.ts";
import type { Manifest } from "./helm.ts";
import type { Tools } from "./tools.ts";

export interface Answer {
  readonly status: number;
  /** What kubectl would print before the result: Pod Security's findings come this way. */
  readonly warnings: readonly string[];
  readonly body: Manifest & { readonly message?: string };
}

export interface ApiServer {
  readonly kubeconfig: string;
  /** GET, or POST where there is a body. */
  readonly call: (path: string, body?: object) => Promise<Answer>;
  /** Creates an object as `kubectl create --validate=strict` does; with `dryRun`, all but the storing. */
  readonly create: (manifest: object, options: { namespace: string; dryRun: boolean }) => Promise<Answer>;
  readonly stop: () => Promise<void>;
}

export async function startApiServer(tools: Pick<Tools, "etcd" | "kubeApiserver">): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "waxseal-kubernetes-"));
  const children: ChildProcess[] = [];
  const end = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", end);

  async function stop(): Promise<void> {
    process.off("exit", end);
    // The API server first: without its etcd it would only complain.
    for (const child of children.toReversed()) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    }
    await rm(folder, { recursive: true, force: true });
  }

  function start(program: string, args: readonly string[]): { child: ChildProcess; log: string } {
    const log = join(folder, `${children.length}.log`);
    const child = spawn(program, args, {
      stdio: ["ignore", openSync(log, "w"), openSync(log, "a")],
      cwd: folder,
    });
    children.push(child);
    return { child, log };
  }

  try {
    const etcdUrl = `http://127.0.0.1:${await freePort()}`;
    const peerUrl = `http://127.0.0.1:${await freePort()}`;
    start(tools.etcd, [
      ...["--data-dir", join(folder, "etcd"), "--name", "waxseal", "--unsafe-no-fsync"],
      ...["--listen-client-urls", etcdUrl, "--advertise-client-urls", etcdUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `waxseal=${peerUrl}`],
    ]);

    const token = randomBytes(16).toString("hex");
    await writeFile(join(folder, "tokens.csv"), `${token},tester,tester,system:masters\n`);
    const signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    await writeFile(join(folder, "service-accounts.key"), signing.export({ type: "pkcs1", format: "pem" }));
    const port = await freePort();
    const { child, log } = start(tools.kubeApiserver, [
      ...["--etcd-servers", etcdUrl, "--bind-address", "127.0.0.1", "--secure-port", String(port)],
      ...["--cert-dir", join(folder, "certificates"), "--token-auth-file", join(folder, "tokens.csv")],
      ...["--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16"],
      ...["--service-account-issuer", "https://kubernetes.default.svc"],
      ...["--service-account-key-file", join(folder, "service-accounts.key")],
      ...["--service-account-signing-key-file", join(folder, "service-accounts.key")],
    ]);

    const certificate = join(folder, "certificates", "apiserver.crt");
    const caller = createCaller(port, token, certificate);
    await untilReady(child, log, caller);

    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigText(port, token, certificate));
    const paths = createPaths(caller);
    return {
      kubeconfig,
      call: caller,
      create: async (manifest, { namespace, dryRun }) => {
        const path = await paths(manifest as Manifest, namespace);
        return caller(`${path}?fieldValidation=Strict${dryRun ? "&dryRun=All" : ""}`, manifest);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Caller = ApiServer["call"];

function createCaller(port: number, token: string, certificate: string): Caller {
  return async (path, body) => {
    // Made by the server when it starts, so it is read for each call.
    const ca = await readFile(certificate);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const calling = request({
      ...{ host: "127.0.0.1", port, path, ca, agent: false },
      method: text === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    calling.end(text);
    const [answer] = (await once(calling, "response")) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    const said = Buffer.concat(pieces).toString();
    return {
      status: answer.statusCode ?? 0,
      // RFC 9111 5.5: 299 - "text"; several are joined with ", ".
      warnings: [...String(answer.headers.warning ?? "").matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(
        ([, text]) => (text ?? "").replace(/\\(.)/g, "$1"),
      ),
      body: (said.startsWith("{") ? JSON.parse(said) : { message: said }) as Answer["body"],
    };
  };
}

async function untilReady(child: ChildProcess, log: string, call: Caller): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) break;
    const ready = await call("/readyz").catch(() => undefined);
    // The last namespaces of its own appear a moment after it says that it is ready.
    if (ready?.status === 200 && (await call("/api/v1/namespaces/default")).status === 200) return;
    await sleep(200);
  }
  throw new Error(`kube-apiserver did not become ready:\n${(await readFile(log, "utf8")).slice(-4000)}`);
}

/**
 * Where objects of a kind are created, asked of the server itself: again and again for half a minute, since
 * it knows those of a CustomResourceDefinition only some time after it has accepted that.
 */
function createPaths(call: Caller): (manifest: Manifest, namespace: string) => Promise<string> {
  interface Resource {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }
  const known = new Map<string, readonly Resource[]>();
  return async ({ apiVersion, kind }, namespace) => {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    for (const deadline = Date.now() + 30_000; ; await sleep(200)) {
      const resources =
        known.get(root) ?? ((await call(root)).body.resources as Resource[] | undefined) ?? [];
      const found = resources.find((resource) => resource.kind === kind && !resource.name.includes("/"));
      if (found !== undefined) {
        known.set(root, resources);
        return found.namespaced ? `${root}/namespaces/${namespace}/${found.name}` : `${root}/${found.name}`;
      }
      known.delete(root);
      if (Date.now() > deadline) throw new Error(`the API server does not know ${apiVersion} ${kind}`);
    }
  };
}

function kubeconfigText(port: number, token: string, certificate: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [
      {
        name: "here",
        cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": certificate },
      },
    ],
    users: [{ name: "tester", user: { token } }],
    contexts: [{ name: "here", context: { cluster: "here", user: "tester" } }],
  });
}
