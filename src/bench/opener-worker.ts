/** One of several processes that open the same secrets at the same time; see openers.ts. */
import { createClaim, type Digest, type SecretId, storedDigest } from "../envelope/tokens.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";

export interface Target {
  readonly id: SecretId;
  readonly linkHash: readonly number[];
  readonly accessHash: readonly number[];
}

export interface Order {
  readonly port: number;
  readonly way: "store" | "get-then-delete";
  readonly targets: readonly Target[];
  /** Opens of each target by this process. */
  readonly openers: number;
  readonly connections: number;
  /** Opens under way at a time, in this process. */
  readonly inFlight: number;
}

/** How often each target was handed over to this process. */
export type Report = readonly number[];

const digest = (numbers: readonly number[]): Digest => storedDigest(Uint8Array.from(numbers));

async function createOpen({ port, way, connections, targets }: Order) {
  const many = Array.from({ length: connections });
  if (way === "store") {
    const stores = await Promise.all(many.map(() => openRedisStore(port)));
    const secrets = targets.map(({ id, linkHash, accessHash }) => ({
      id,
      linkHash: digest(linkHash),
      accessHash: digest(accessHash),
    }));
    return async (target: number, opener: number) => {
      const [store, secret] = [stores[opener % connections], secrets[target]];
      if (!store || !secret) throw new RangeError("There is no such opener.");
      const result = await store.open({ ...secret, claim: createClaim() });
      if (result.kind !== "handed-over" && result.kind !== "ended") throw new Error(result.kind);
      return result.kind === "handed-over";
    };
  }
  const clients = await Promise.all(many.map(() => connectPatiently(port)));
  return async (target: number, opener: number) => {
    const [client, secret] = [clients[opener % connections], targets[target]];
    if (!client || !secret) throw new RangeError("There is no such opener.");
    const share = await client.getBuffer(`naive:${secret.id}`);
    if (share) await client.del(`naive:${secret.id}`);
    return share !== null;
  };
}

process.once("message", async (order: Order) => {
  const open = await createOpen(order);
  process.send?.("ready");
  process.once("message", async () => {
    const handedOver = order.targets.map(() => 0);
    // Target by target, so that all processes are at the same one at about the same time.
    const total = order.targets.length * order.openers;
    let next = 0;
    async function opener(): Promise<void> {
      while (next < total) {
        const turn = next++;
        const target = Math.floor(turn / order.openers);
        if (await open(target, turn)) handedOver[target] = (handedOver[target] ?? 0) + 1;
      }
    }
    await Promise.all(Array.from({ length: order.inFlight }, opener));
    process.send?.(handedOver satisfies Report, () => process.exit(0));
  });
});
