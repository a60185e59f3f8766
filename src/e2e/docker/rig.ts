// What every file of appliance tests starts with: an engine, the images, the built product, a browser.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { type Engine, startEngine } from "./engine.ts";
import { startBrowser } from "./person.ts";
import { createStack, repository, type Stack } from "./stack.ts";
import { baseImages, composeImages, ensureImages } from "./stand-ins.ts";

export const image = "waxseal:0.1.0";
export const node = "/usr/local/bin/node";
export const builtAt = 1_700_000_000;
export const composeFolder = join(repository, "deploy/compose");
export const overlays = readdirSync(composeFolder).filter((name) => name.endsWith(".yaml"));

export type Rig = {
  readonly engine: Engine;
  readonly browser: Browser;
  /** A folder for this file's own things. */
  readonly work: string;
  readonly build: (
    tag: string,
    how: { readonly buildKit: boolean; readonly cache: boolean },
  ) => Promise<void>;
  readonly withStack: (
    t: TestContext,
    names: readonly string[],
    env: NodeJS.ProcessEnv,
    act: (stack: Stack, address: string) => Promise<void>,
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("No free port.");
  return address.port;
}

/** Tries until it goes well, for what takes a moment to come about. */
export async function eventually<T>(what: string, act: () => Promise<T>): Promise<T> {
  let last: unknown;
  for (let waited = 0; waited < 40_000; waited += 500) {
    try {
      return await act();
    } catch (error) {
      last = error;
      await sleep(500);
    }
  }
  throw new Error(`${what}: ${String(last)}`);
}

export async function startRig(): Promise<Rig> {
  const engine = await startEngine();
  const work = mkdtempSync(join(tmpdir(), "waxseal-appliance-"));
  const read = (file: string) => readFileSync(join(repository, file), "utf8");

  const build: Rig["build"] = async (tag, { buildKit, cache }) => {
    await engine.docker(
      [
        ...["build", "--network", "host", "--quiet", "--tag", tag, ...(cache ? [] : ["--no-cache"])],
        ...["--build-arg", `SOURCE_DATE_EPOCH=${builtAt}`, "--build-arg", "REVISION=test", repository],
      ],
      { env: { DOCKER_BUILDKIT: buildKit ? "1" : "0" } },
    );
  };

  /** Brings a stack up, always takes it down, and says what its containers said where something failed. */
  const withStack: Rig["withStack"] = async (t, names, env, act) => {
    const port = await freePort();
    const address = `http://localhost:${port}`;
    const project = `waxseal-test-${process.pid}${names.map((name) => `-${name.replace(/\W/g, "")}`).join("")}`;
    const given = { PUBLIC_URL: address, ...env, WAXSEAL_PORT: String(port) };
    const stack = createStack(engine, project, names, given);
    try {
      const began = Date.now();
      await stack.up();
      t.diagnostic(`everything ready ${((Date.now() - began) / 1000).toFixed(1)} s after "up"`);
      await act(stack, address);
    } catch (error) {
      const said = await stack.compose(["logs", "--no-color", "--tail", "30"], { mayFail: true });
      t.diagnostic(said.stdout.slice(-6000));
      throw error;
    } finally {
      await stack.down();
    }
  };

  try {
    const composeFiles = ["compose.yaml", ...overlays.map((name) => `deploy/compose/${name}`)];
    const named = composeFiles.flatMap((file) => composeImages(read(file)));
    await ensureImages(engine, [...baseImages(read("Dockerfile")), ...named.filter((tag) => tag !== image)]);
    await build(image, { buildKit: false, cache: true });
    const browser = await startBrowser();
    return {
      engine,
      browser,
      work,
      build,
      withStack,
      async stop() {
        await browser.close();
        await engine.stop();
        rmSync(work, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
