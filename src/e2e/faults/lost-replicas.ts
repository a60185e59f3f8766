import { newClaim } from "../../testing/sealed-secret.ts";
import { divide, each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/**
 * The master is alone while people go on. Then its replicas come back, empty, and it is killed as soon
 * as they have caught up. What the master alone knows is safe as long as it lives, so nobody has to
 * fail here; ours must not answer in the meantime, and must lose nothing.
 */
export const lostReplicas: Fault = {
  name: "both replicas lost",
  mustFail: {},
  episodes: { full: 5, short: 1 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app }, client, secrets) => {
      const [early, late] = divide(secrets);
      await each(early, (secret) => client.createSurely(secret, app));
      await each(trio.replicas(), ({ redis }) => redis.kill());
      const claims = early.map(() => newClaim());
      const [created, asked] = await Promise.all([
        each(late, (secret) => client.create(secret, app)),
        each(early, (secret, index) => client.open(secret, claims[index] ?? "", app)),
      ]);
      const known = each(early, (secret, index) =>
        Promise.all([
          client.openUntilKnown(secret, newClaim(), app),
          client.openUntilKnown(secret, claims[index] ?? "", app, asked[index]),
        ]),
      );
      await trio.heal();
      await trio.caughtUp();
      await trio.master().redis.kill();
      const [replica] = trio.replicas();
      if (replica) await trio.promote(replica);
      await trio.heal();
      await known;
      await each(late, async (secret, index) => {
        if (created[index]?.answer !== 201) await client.createSurely(secret, app);
      });
    }),
};
