import { newClaim } from "../../testing/sealed-secret.ts";
import type { Algorithm } from "./algorithms.ts";
import { startFaultyCluster } from "./cluster.ts";
import { divide, each, type Fault, type Stage } from "./fault.ts";
import { replaceable } from "./replaceable.ts";

/** The part of a secret's keys in braces, by which the Cluster places them. */
const placeOf = (id: string) => `ws:{${id}}:record`;

/**
 * Slots move to another node while the secrets in them are asked for. Then one node no longer reaches its
 * replica, goes on serving, and is killed; the Cluster promotes the replica.
 */
async function setUp(algorithm: Algorithm): Promise<Stage> {
  const cluster = await startFaultyCluster();
  const app = await replaceable(() => algorithm.start(cluster.url, 1));
  return {
    app: app.url,
    async episode(client, secrets) {
      const [others, late] = divide(secrets);
      const [moved, early] = [others.slice(0, others.length / 3), others.slice(others.length / 3)];
      await each(others, (secret) => client.createSurely(secret, app.url));

      const movedClaims = moved.map(() => newClaim());
      const askedMoved = each(moved, (secret, index) =>
        Promise.all([
          client.openUntilKnown(secret, movedClaims[index] ?? "", app.url),
          client.openUntilKnown(secret, newClaim(), app.url),
        ]),
      );
      for (const { sealed } of moved) await cluster.moveSlot(placeOf(sealed.body.id));
      await askedMoved;

      const [first] = early;
      if (!first) throw new Error("Too few secrets.");
      const victim = await cluster.masterOf(placeOf(first.sealed.body.id));
      await cluster.cutReplica(victim);
      const claims = early.map(() => newClaim());
      // Ours hands nothing over as long as the replica is away. The others must, or the kill proves nothing.
      const open = algorithm.name === "ours" ? client.open : client.openUntilKnown;
      const [created, asked] = await Promise.all([
        each(late, (secret) => client.create(secret, app.url)),
        each(early, (secret, index) => open(secret, claims[index] ?? "", app.url)),
      ]);
      await victim.redis.kill();
      const known = each(early, (secret, index) =>
        Promise.all([
          client.look(secret, app.url),
          client.openUntilKnown(secret, newClaim(), app.url),
          client.openUntilKnown(secret, claims[index] ?? "", app.url, asked[index]),
        ]),
      );
      await cluster.replaced(victim);
      await cluster.heal();
      await known;
      await each(late, async (secret, index) => {
        if (created[index]?.answer !== 201) await client.createSurely(secret, app.url);
      });
    },
    async close() {
      await app.stop();
      await cluster.close();
    },
  };
}

export const clusterNodeKilled: Fault = {
  name: "Cluster node killed, slots migrated",
  mustFail: { "claim without WAIT": ["read twice"], "plain GETDEL": ["read twice"] },
  episodes: { full: 3, short: 1 },
  setUp,
};
