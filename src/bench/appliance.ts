/**
 * Prints what the appliance weighs as an operator gets it: the image layer by layer, how long its
 * container takes to be ready, and the memory of both containers of compose.yaml, idle and with many
 * pending secrets. Builds the image and runs it on an engine of its own, as the appliance test does.
 *
 *   node --import tsx src/bench/appliance.ts [secrets] [starts]
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeLayers, imageLayers } from "../e2e/docker/image-layers.ts";
import { type Appliance, image, startAppliance } from "../e2e/docker/rig.ts";
import { inspectContainer, type Stack } from "../e2e/docker/stack.ts";
import { residentBytes } from "../testing/resident.ts";
import { createPending, median } from "./pending.ts";

const SECRETS = Number(process.argv[2] ?? 10_000);
const STARTS = Number(process.argv[3] ?? 5);
/** Milliseconds for what was only needed once to be let go; only health checks come in meanwhile. */
const SETTLE = 10_000;

/** One address may create 10,000 here; everything else is as compose.yaml has it. */
const UNLIMITED = 'services: { waxseal: { environment: { RATE_LIMIT_CREATE: "1000000/1m" } } }\n';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function untilReady(address: string): Promise<void> {
  while (
    !(await fetch(`${address}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    ))
  )
    await sleep(5);
}

/** Milliseconds from `docker start`, and from the start of the process, to the first answer "ready". */
async function timeStart({ engine }: Appliance, id: string, address: string) {
  await engine.docker(["stop", "--time", "15", id]);
  const asked = Date.now();
  const starting = engine.docker(["start", id]);
  await untilReady(address);
  const ready = Date.now();
  await starting;
  const { State } = await inspectContainer(engine, id);
  return { asked: ready - asked, running: ready - Date.parse(State.StartedAt) };
}

/** As `docker stats` tells it (the control group's, without cached files), and the process's resident memory. */
async function memoryOf({ engine }: Appliance, id: string): Promise<string> {
  const format = ["stats", "--no-stream", "--format", "{{.MemUsage}}", id];
  const used = (await engine.docker(format)).stdout.trim();
  const { State } = await inspectContainer(engine, id);
  return `${used} (resident ${(residentBytes(State.Pid) / 2 ** 20).toFixed(1)} MiB)`;
}

async function measure(appliance: Appliance, stack: Stack, address: string): Promise<void> {
  const [waxseal, redis] = [await stack.container("waxseal"), await stack.container("redis")];
  const version = await appliance.engine.docker(["exec", waxseal, "/usr/local/bin/node", "--version"]);
  print(`Node ${version.stdout.trim()}`);
  const starts: Awaited<ReturnType<typeof timeStart>>[] = [];
  while (starts.length < STARTS) starts.push(await timeStart(appliance, waxseal, address));
  print(
    `ready ${median(starts.map(({ asked }) => asked))} ms after docker start, ` +
      `${median(starts.map(({ running }) => running))} ms after the process began (medians of ${STARTS})`,
  );
  const tell = async (when: string) => {
    await sleep(SETTLE);
    print(`${when}: waxseal ${await memoryOf(appliance, waxseal)}`);
    print(`${when}: redis ${await memoryOf(appliance, redis)}`);
  };
  await tell("idle");
  const began = performance.now();
  await createPending(address, SECRETS);
  print(`${SECRETS} secrets created in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  await tell(`${SECRETS} pending secrets`);
}

const appliance = await startAppliance();
try {
  print(describeLayers(await imageLayers(appliance.engine, image)));
  const unlimited = join(appliance.work, "unlimited.yaml");
  writeFileSync(unlimited, UNLIMITED);
  await appliance.withStack({ diagnostic: print }, [unlimited], {}, (stack, address) =>
    measure(appliance, stack, address),
  );
} finally {
  await appliance.stop();
}
