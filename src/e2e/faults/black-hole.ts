import { setTimeout as sleep } from "node:timers/promises";
import { newClaim } from "../../testing/sealed-secret.ts";
import { eventually } from "./eventually.ts";
import { divide, each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/** Milliseconds: longer than a request may take. */
const HOLE = 2_500;

/**
 * Nothing says that the network is gone: connections stay, and no answer comes. In every other episode
 * nothing passes at all, and arrives late when the network is back. In the others requests still reach
 * Redis, their answers don't come, and the connections are reset in the end.
 */
export const blackHole: Fault = {
  name: "network black hole between app and Redis",
  mustFail: { "plain GETDEL": ["lost"] },
  episodes: { full: 6, short: 2 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app, line }, client, secrets, number) => {
      const [early, late] = divide(secrets);
      await each(early, (secret) => client.createSurely(secret, app));
      if (number % 2 === 0) line.holdAnswers(number / 2);
      else line.silence();
      let answered = false;
      const claims = early.map(() => newClaim());
      const asked = Promise.all([
        each(late, (secret) => client.createSurely(secret, app)),
        each(early, (secret, index) => client.openUntilKnown(secret, claims[index] ?? "", app)),
      ]).then(() => {
        answered = true;
      });
      asked.catch(() => {}); // Awaited below; what is thrown before that is to be told.
      // On a slow machine nothing may have reached Redis by the time the connections are reset.
      if (number % 2 === 0) await eventually("an answer is held back", () => line.held() > 0 || answered);
      await sleep(HOLE);
      if (number % 2 === 0) line.cut();
      line.mend();
      await each(early, (secret) => client.openUntilKnown(secret, newClaim(), app));
      await asked;
      await trio.caughtUp();
    }),
};
