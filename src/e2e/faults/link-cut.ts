import { newClaim } from "../../testing/sealed-secret.ts";
import { divide, each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/**
 * What the master does from now on reaches no replica (in every other episode: only the other one), and
 * then it is gone and a replica that heard nothing takes over. Meanwhile secrets are made and opened.
 */
export const linkCut: Fault = {
  name: "replication link cut, then failover",
  mustFail: { "claim without WAIT": ["read twice", "lost"], "plain GETDEL": ["read twice", "lost"] },
  episodes: { full: 5, short: 2 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app }, client, secrets, number) => {
      const [early, late] = divide(secrets);
      await each(early, (secret) => client.createSurely(secret, app));
      await trio.caughtUp();
      const [deaf, other] = trio.replicas();
      if (!deaf || !other) throw new Error("A trio has two replicas.");
      deaf.uplink.cut();
      if (number % 2 === 0) other.uplink.cut();

      const claims = early.map(() => newClaim());
      const [created, asked] = await Promise.all([
        each(late, (secret) => client.create(secret, app)),
        each(early, (secret, index) => client.open(secret, claims[index] ?? "", app)),
      ]);
      await trio.master().redis.kill();
      await trio.promote(deaf);

      // Strangers come, and those from before come again; both go on while all is being repaired.
      const known = each(early, (secret, index) =>
        Promise.all([
          client.look(secret, app),
          client.openUntilKnown(secret, newClaim(), app),
          client.openUntilKnown(secret, claims[index] ?? "", app, asked[index]),
        ]),
      );
      await trio.heal();
      await known;
      await each(late, async (secret, index) => {
        if (created[index]?.answer !== 201) await client.createSurely(secret, app);
      });
    }),
};
