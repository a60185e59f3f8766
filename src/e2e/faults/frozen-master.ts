import { newClaim } from "../../testing/sealed-secret.ts";
import type { Algorithm } from "./algorithms.ts";
import { divide, each, type Fault, type Stage } from "./fault.ts";
import { replaceable } from "./replaceable.ts";
import { startSentinelTrio } from "./sentinel-trio.ts";

/**
 * The master stands still while people ask for their secrets, the Sentinels promote a replica, and
 * strangers are served there by an app that has just started. Then the old master wakes: it finds the
 * first requests in its sockets, and for some seconds believes itself master. The Sentinels end that.
 */
async function setUp(algorithm: Algorithm): Promise<Stage> {
  const trio = await startSentinelTrio();
  const start = () => algorithm.start(trio.url, 2);
  const [before, after] = await Promise.all([replaceable(start), replaceable(start)]);
  return {
    app: before.url,
    async episode(client, secrets) {
      const [early, late] = divide(secrets);
      await each(early, (secret) => client.createSurely(secret, before.url));
      const frozen = await trio.master();
      frozen.redis.freeze();
      const claims = early.map(() => newClaim());
      const asked = each(early, (secret, index) => client.open(secret, claims[index] ?? "", before.url));
      await Promise.all([trio.replaced(frozen), after.kill()]);
      await after.replace();
      const strangers = early.map(() => newClaim());
      const told = await each(early, (secret, index) =>
        client.open(secret, strangers[index] ?? "", after.url),
      );

      frozen.redis.thaw();
      const first = await asked;
      // Two masters: one that the Sentinels name, and one that does not know.
      const created = await each(late, (secret, index) =>
        client.create(secret, index % 2 === 0 ? before.url : after.url),
      );
      const known = each(early, (secret, index) =>
        Promise.all([
          client.look(secret, before.url),
          client.openUntilKnown(secret, claims[index] ?? "", before.url, first[index]),
          client.openUntilKnown(secret, strangers[index] ?? "", after.url, told[index]),
        ]),
      );
      await trio.whole();
      await known;
      await each(late, async (secret, index) => {
        if (created[index]?.answer !== 201) await client.createSurely(secret, before.url);
      });
    },
    async close() {
      await Promise.all([before.stop(), after.stop()]);
      await trio.close();
    },
  };
}

export const frozenMaster: Fault = {
  name: "master frozen, replica promoted, master thawed (Sentinel)",
  mustFail: { "plain GETDEL": ["read twice"] },
  episodes: { full: 2, short: 1 },
  setUp,
};
