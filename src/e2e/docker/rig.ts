// What every file of appliance tests starts with: an engine, the images, the built product, a browser.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { launchChromium } from "../../testing/chromium.ts";
import { freePort } from "../../testing/free-port.ts";
import { type Engine, startEngine } from "./engine.ts";
import { temporaryFolder } from "./leftovers.ts";
import { createStack, repository, type Stack } from "./stack.ts";
import { baseImages, composeImages, ensureImages } from "./stand-ins.ts";
import { BUILD_TIME } from "./tools.ts";

export const image = "waxseal:0.1.0";
/** A name for the stage that the image is copied from, so that the next build need not do it again. */
const stage = "waxseal-build:1";
export const node = "/usr/local/bin/node";
export const builtAt = 1_700_000_000;
export const composeFolder = join(repository, "deploy/compose");
export const overlays = readdirSync(composeFolder).filter((name) => name.endsWith(".yaml"));

/** The image and the engine, for what needs no browser. */
export type Appliance = {
  readonly engine: Engine;
  /** A folder for this file's own things. */
  readonly work: string;
  readonly build: (
    tag: string,
    how: { readonly buildKit: boolean; readonly cache: boolean },
  ) => Promise<void>;
  readonly withStack: (
    t: Pick<TestContext, "diagnostic">,
    names: readonly string[],
    env: NodeJS.ProcessEnv,
    act: (stack: Stack, address: string) => Promise<void>,
  ) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type Rig = Appliance & { readonly browser: Browser };

/** Milliseconds. Enough to restart a container a few times; far less than the runner gives to a file. */
const LONGEST = 120_000;

/** Tries until it goes well, for what takes a moment to come about. */
export async function eventually<T>(what: string, act: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (performance.now() - begun > LONGEST) throw new Error(`${what}: ${String(error)}`);
      await sleep(500);
    }
  }
}

export async function startAppliance(): Promise<Appliance> {
  const engine = await startEngine();
  const work = temporaryFolder("work");
  const read = (file: string) => readFileSync(join(repository, file), "utf8");

  const build = async (
    tag: string,
    how: { readonly buildKit: boolean; readonly cache: boolean },
    target: readonly string[] = [],
  ) => {
    const { buildKit, cache } = how;
    await engine.docker(
      [
        ...["build", "--network", "host", "--quiet", "--tag", tag, ...target],
        ...(cache ? [] : ["--no-cache"]),
        ...["--build-arg", `SOURCE_DATE_EPOCH=${builtAt}`, "--build-arg", "REVISION=test", repository],
      ],
      { env: { DOCKER_BUILDKIT: buildKit ? "1" : "0" }, timeoutMs: BUILD_TIME },
    );
  };

  /** Brings a stack up, always takes it down, and says what its containers said where something failed. */
  const withStack: Appliance["withStack"] = async (t, names, env, act) => {
    const port = await freePort();
    const address = `http://localhost:${port}`;
    const project = `waxseal-test-${process.pid}${names.map((name) => `-${basename(name).replace(/\W/g, "")}`).join("")}`;
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
    const how = { buildKit: false, cache: true };
    await build(stage, how, ["--target", "build"]);
    await build(image, how);
    return {
      engine,
      work,
      build: (tag, wanted) => build(tag, wanted),
      withStack,
      async stop() {
        await engine.stop();
        rmSync(work, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

export async function startRig(): Promise<Rig> {
  const appliance = await startAppliance();
  try {
    const browser = await launchChromium();
    return {
      ...appliance,
      browser,
      async stop() {
        await browser.close();
        await appliance.stop();
      },
    };
  } catch (error) {
    await appliance.stop();
    throw error;
  }
}
