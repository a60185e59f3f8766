import { setTimeout as sleep } from "node:timers/promises";
import { newClaim } from "../../testing/sealed-secret.ts";
import { divide, each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/** Seconds, in place of half a minute. */
const WINDOW = 2;

/**
 * The replicas are away for longer than a claim stands. Two thirds of the people who ask meanwhile go
 * on asking, the others give up; strangers come when the replicas are back.
 */
export const longOutage: Fault = {
  name: "replicas away for longer than the redelivery window",
  mustFail: {},
  episodes: { full: 4, short: 1 },
  setUp: (algorithm) =>
    onTrio(
      algorithm,
      async ({ trio, app }, client, secrets) => {
        const [patient, impatient] = divide(secrets);
        await each(secrets, (secret) => client.createSurely(secret, app));
        trio.cutUplinks();
        const known = each(patient, (secret) => client.openUntilKnown(secret, newClaim(), app));
        await each(impatient, (secret) => client.open(secret, newClaim(), app));
        await sleep(WINDOW * 1_500);
        await trio.heal();
        await known;
        await each(impatient, (secret) => client.openUntilKnown(secret, newClaim(), app));
      },
      { settings: { REDELIVERY_WINDOW: `${WINDOW}s` } },
    ),
};
