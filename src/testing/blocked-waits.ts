import type { Redis } from "ioredis";
import { until } from "./until.ts";

/** The ids of the connections that a Redis holds up now: those of a WAIT, as nothing else of the store's blocks. */
export async function blockedConnections(admin: Redis): Promise<string[]> {
  const clients = String(await admin.client("LIST")).split("\n");
  return clients.filter((line) => / flags=\S*b/.test(line)).map((line) => /^id=(\d+)/.exec(line)?.[1] ?? "");
}

/** Each WAIT is answered with as many replicas as have confirmed by now, as if its time were up. */
export async function endWaits(admin: Redis, connections: readonly string[]): Promise<void> {
  for (const id of connections) await admin.client("UNBLOCK", id);
}

/**
 * What `act` comes to where each WAIT of this Redis ends as soon as it blocks. So a test of too few replicas
 * needs no short patience, which a slow machine would exceed in other ways.
 */
export async function endingWaits<T>(admin: Redis, act: Promise<T>): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  act.then(settle, settle);
  await until(async () => {
    await endWaits(admin, await blockedConnections(admin));
    return settled;
  });
  return act;
}
