import type { Cluster, Redis } from "ioredis";
import type { StoreBudget } from "../config/config.ts";
import type { SecretId } from "../envelope/tokens.ts";
import { type AdmitOptions, createMemoryGate, type MemoryGate, type Room } from "./memory-gate.ts";
import { ask } from "./redis-faults.ts";
import { parseInfo } from "./redis-info.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import { contentCost, DUE_COST, type MemoryUse, memoryUse, SHARE_COST, uploadCost } from "./redis-memory.ts";
import { mastersOf, nodeName, nodeNameFor } from "./redis-nodes.ts";
import { type StoreMemory, StoreUnavailableError } from "./store.ts";

/**
 * Lets in what fits below the budget, and refuses the rest before anything is written.
 *
 * What Redis has above the budget, a fifth of `maxmemory` by default, is for what must go on when it
 * is full: records grow when they are opened or tried, connections have buffers, tables double, rate
 * limits count; and for several processes that each believe to be the one that takes the last of it
 * (see `SLICE`: three of them exceed the budget by a quarter of itself at the very worst, and then
 * Redis says no).
 */
export interface Admission {
  /** Throws `StoreFullError` where one of the nodes that the secret would lie on has no room for it. */
  admit(id: SecretId, blobBytes: number, options?: AdmitSecretOptions): Promise<Room>;
  memory(): Promise<readonly StoreMemory[]>;
}

export interface AdmitSecretOptions extends AdmitOptions {
  /** Bytes that its record takes beside what every record does. */
  readonly attached?: number;
}

export interface AdmissionOptions {
  readonly client: Redis | Cluster;
  /** Where the shares are, if they are elsewhere. */
  readonly keyring: Redis | Cluster | undefined;
  /** Without one nothing is refused here. */
  readonly budget: StoreBudget | undefined;
}

const UNLIMITED: Room = { landed() {}, release() {} };

async function readUse(node: Redis | undefined, budget: StoreBudget | undefined): Promise<MemoryUse> {
  if (!node) throw new StoreUnavailableError({ cause: new Error("The node has left the cluster.") });
  return memoryUse(parseInfo(await ask(node.info("memory"))), budget);
}

export function createAdmission({ client, keyring, budget }: AdmissionOptions): Admission {
  const gates = new Map<Redis | Cluster, Map<string, MemoryGate>>();
  for (const place of keyring ? [client, keyring] : [client]) {
    place.on("-node", (node: Redis) => gates.get(place)?.delete(nodeName(node)));
  }

  function gateFor(place: Redis | Cluster, key: string): MemoryGate {
    const name = nodeNameFor(place, key);
    const known = gates.get(place) ?? new Map<string, MemoryGate>();
    gates.set(place, known);
    // By name, since a node that went and came back is another connection.
    const gate = known.get(name) ?? createMemoryGate(() => readUse(mastersOf(place).get(name), budget));
    known.set(name, gate);
    return gate;
  }

  async function lookAt(place: StoreMemory["place"], redis: Redis | Cluster): Promise<StoreMemory[]> {
    const nodes = [...mastersOf(redis)];
    return Promise.all(
      nodes.map(async ([node, connection]) => ({ place, node, ...(await readUse(connection, budget)) })),
    );
  }

  return {
    async admit(id, blobBytes, options) {
      if (budget === undefined) return UNLIMITED;
      const content = options?.lasting ? uploadCost(blobBytes) : contentCost(blobBytes);
      const wanted = new Map<MemoryGate, number>();
      for (const [place, key, bytes] of [
        [client, recordKey(id), content + (options?.attached ?? 0)],
        [keyring ?? client, recordKey(id), SHARE_COST],
        [client, DUE_KEY, DUE_COST],
      ] as const) {
        const gate = gateFor(place, key);
        wanted.set(gate, (wanted.get(gate) ?? 0) + bytes);
      }
      const [[main, bytes] = [], ...others] = wanted;
      if (!main || bytes === undefined) return UNLIMITED;
      const rooms = [await main.admit(bytes, options)];
      try {
        for (const [gate, few] of others) rooms.push(await gate.admit(few, options));
      } catch (error) {
        for (const room of rooms) room.release();
        throw error;
      }
      const [large, ...small] = rooms;
      return {
        landed(part) {
          large?.landed(part);
          for (const room of small) room.landed();
        },
        release() {
          for (const room of rooms) room.release();
        },
      };
    },

    async memory() {
      const places = [lookAt("redis", client), keyring ? lookAt("keyring", keyring) : []];
      return (await Promise.all(places)).flat();
    },
  };
}
