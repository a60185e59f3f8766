import { newClaim } from "../../testing/sealed-secret.ts";
import { each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/**
 * Three people ask three apps for the same secret at the same time, while the replicas stop hearing
 * from the master, the master goes, and a replica takes over; then three more come.
 */
export const racingApps: Fault = {
  name: "three apps racing on one secret through a failover",
  mustFail: { "claim without WAIT": ["read twice"], "plain GETDEL": ["read twice"] },
  episodes: { full: 5, short: 1 },
  setUp: (algorithm) =>
    onTrio(
      algorithm,
      async ({ trio, apps, app }, client, secrets) => {
        await each(secrets, (secret) => client.createSurely(secret, app));
        await trio.caughtUp();
        trio.cutUplinks();
        const claims = secrets.map(() => apps.map(() => newClaim()));
        const first = await each(secrets, (secret, index) =>
          each(apps, ({ url }, turn) => client.open(secret, claims[index]?.[turn] ?? "", url)),
        );
        await trio.master().redis.kill();
        const [replica] = trio.replicas();
        if (replica) await trio.promote(replica);
        const known = each(secrets, (secret, index) =>
          each(apps, ({ url }, turn) =>
            Promise.all([
              client.openUntilKnown(secret, claims[index]?.[turn] ?? "", url, first[index]?.[turn]),
              client.openUntilKnown(secret, newClaim(), url),
            ]),
          ),
        );
        await trio.heal();
        await known;
      },
      { count: 3 },
    ),
};
