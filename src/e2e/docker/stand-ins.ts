// Images for the tags that the Dockerfile and the compose files name, for machines that can install
// Debian and npm packages but cannot pull images. Where a tag can be pulled, the real one is used.
//
// All stand-ins share one small Debian tree, so that making them costs one bootstrap. It is kept
// outside the repository, under a name that changes with the recipe.

import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import { temporaryFolder } from "./leftovers.ts";
import { BUILD_TIME, MissingToolError, run } from "./tools.ts";

const suite = "bookworm";
const packages = ["ca-certificates", "redis-server", "redis-sentinel", "nginx-light", "caddy"];
const debianTag = "waxseal-stand-in-debian:1";
const label = "waxseal.stand-in";

/** What a stand-in is made of: this file, and the release of each package, so that a newer Redis is not masked. */
async function recipe(): Promise<string> {
  const env = { ...process.env, LC_ALL: "C" };
  const policy = await run("apt-cache", ["policy", ...packages], { mayFail: true, env });
  // The rest of it, what is installed here and which sources offer what, says nothing about a stand-in.
  const releases = policy.stdout.match(/^(?:\S+:| *Candidate: .*)$/gm) ?? [];
  const hash = createHash("sha256")
    .update(readFileSync(import.meta.filename))
    .update(releases.join("\n"));
  return hash.digest("hex").slice(0, 16);
}

/** Tags in `FROM`, without the names of earlier stages and `scratch`. */
export function baseImages(dockerfile: string): string[] {
  const stages = new Set<string>(["scratch"]);
  const tags = new Set<string>();
  for (const line of dockerfile.split("\n")) {
    const match = /^FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?/i.exec(line);
    if (match?.[1] === undefined) continue;
    if (!stages.has(match[1])) tags.add(match[1]);
    if (match[2] !== undefined) stages.add(match[2]);
  }
  return [...tags];
}

/** Tags in the compose files: the default of the variable that may name another registry. */
export function composeImages(compose: string): string[] {
  return [...compose.matchAll(/^\s*image: \$\{\w+:-([^}]+)\}$/gm)].map((match) => match[1] ?? "");
}

/** What the image with this tag was made by; "" for a real one, undefined where there is none. */
async function madeBy(engine: Engine, tag: string): Promise<string | undefined> {
  const format = `{{with .Config.Labels}}{{index . "${label}"}}{{end}}`;
  const found = await engine.docker(["image", "inspect", "--format", format, tag], { mayFail: true });
  return found.code === 0 ? found.stdout.trim() : undefined;
}

async function makeDebian(engine: Engine, by: string): Promise<void> {
  if ((await madeBy(engine, debianTag)) === by) return;
  const folder = temporaryFolder("debian");
  try {
    const tree = join(folder, "tree.tar");
    const options = ["--variant=essential", "--mode=root", `--include=${packages.join(",")}`];
    await run("mmdebstrap", [...options, suite, tree], { timeoutMs: BUILD_TIME });
    await engine.docker(["import", "--change", `LABEL ${label}=${by}`, tree, debianTag]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function buildFrom(
  engine: Engine,
  tag: string,
  dockerfile: string,
  fill: (folder: string) => Promise<void>,
) {
  const folder = temporaryFolder("image");
  try {
    writeFileSync(join(folder, "Dockerfile"), `FROM ${debianTag}\n${dockerfile}`);
    await fill(folder);
    await engine.docker(["build", "--network", "host", "--quiet", "--tag", tag, folder], {
      env: { DOCKER_BUILDKIT: "0" },
      timeoutMs: BUILD_TIME,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node and npm from npm's own packages, at the version the tag names, set up as this machine's npm is. */
async function makeNode(engine: Engine, tag: string): Promise<void> {
  const version = /^node:(\d+\.\d+\.\d+)-/.exec(tag)?.[1];
  if (version === undefined) throw new MissingToolError(`${tag} is not pinned to one Node version.`);
  const cpu = arch() === "arm64" ? "arm64" : "x64";
  const registry = (await run("npm", ["config", "get", "registry"])).stdout.trim();
  const authority = (await run("npm", ["config", "get", "cafile"])).stdout.trim();
  const dockerfile = [
    "COPY local /usr/local",
    "COPY authorities.crt /etc/ssl/certs/ca-certificates.crt",
    "RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm",
    `ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt npm_config_registry=${registry}`,
    'CMD ["node"]',
  ];
  await buildFrom(engine, tag, dockerfile.join("\n"), async (folder) => {
    const made = join(folder, "packages");
    mkdirSync(made);
    const wanted = [`node-linux-${cpu}@${version}`, "npm@11"];
    const install = ["install", "--silent", "--no-save", "--ignore-scripts", "--prefix", made, ...wanted];
    await run("npm", install, { timeoutMs: BUILD_TIME });
    cpSync(join(made, `node_modules/node-linux-${cpu}/bin`), join(folder, "local/bin"), { recursive: true });
    cpSync(join(made, "node_modules/npm"), join(folder, "local/lib/node_modules/npm"), { recursive: true });
    rmSync(made, { recursive: true });
    const bundle = existsSync(authority) ? authority : "/etc/ssl/certs/ca-certificates.crt";
    writeFileSync(join(folder, "authorities.crt"), readFileSync(bundle));
  });
}

/** Debian's Redis under the ways in which the official image is used: any user, arguments after the name. */
async function makeRedis(engine: Engine, tag: string): Promise<void> {
  const entry = '#!/bin/sh\nset -e\ncase "$1" in -*|"") set -- redis-server "$@" ;; esac\nexec "$@"\n';
  const dockerfile =
    "COPY entry /usr/local/bin/docker-entrypoint.sh\n" +
    'RUN mkdir -p /data && chown 999:999 /data\nWORKDIR /data\nENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["redis-server"]';
  await buildFrom(engine, tag, dockerfile, async (folder) => {
    writeFileSync(join(folder, "entry"), entry);
    chmodSync(join(folder, "entry"), 0o755);
  });
}

async function makePlain(engine: Engine, tag: string, command: readonly string[]): Promise<void> {
  await buildFrom(engine, tag, `CMD ${JSON.stringify(command)}`, async () => {});
}

async function makeStandIn(engine: Engine, tag: string, by: string): Promise<void> {
  const repository = tag.split(":")[0];
  await makeDebian(engine, by);
  if (repository === "node") return makeNode(engine, tag);
  if (repository === "redis") return makeRedis(engine, tag);
  if (repository === "nginx") return makePlain(engine, tag, ["nginx", "-g", "daemon off;"]);
  if (repository === "caddy")
    return makePlain(engine, tag, ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]);
  throw new MissingToolError(`${tag} cannot be pulled here, and there is no stand-in for it.`);
}

/** Returns the tags for which a stand-in had to be made. */
export async function ensureImages(engine: Engine, tags: readonly string[]): Promise<string[]> {
  const by = await recipe();
  const made: string[] = [];
  for (const tag of new Set(tags)) {
    const known = await madeBy(engine, tag);
    if (known === "" || known === by) continue;
    // One refusal is an answer for every tag; asking again would only wait again.
    if (made.length === 0) {
      const pulled = await engine.docker(["pull", "--quiet", tag], { mayFail: true, timeoutMs: 120_000 });
      if (pulled.code === 0) continue;
    }
    await makeStandIn(engine, tag, by);
    made.push(tag);
  }
  return made;
}
