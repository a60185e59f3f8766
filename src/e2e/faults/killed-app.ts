import { newClaim } from "../../testing/sealed-secret.ts";
import { eventually } from "./eventually.ts";
import { each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/**
 * Redis has done what an app asked for, and the app is killed before it hears of it. Each episode takes
 * another answer of those that one open consists of. People go on asking, and are served by the next app.
 */
export const killedApp: Fault = {
  name: "app killed in mid-open",
  mustFail: { "plain GETDEL": ["lost"] },
  episodes: { full: 10, short: 3 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ apps: [app], line }, client, secrets, number) => {
      if (!app) throw new Error("There is no app.");
      await each(secrets, (secret) => client.createSurely(secret, app.url));
      line.holdAnswers(number);
      let answered = false;
      const claims = secrets.map(() => newClaim());
      const known = each(secrets, (secret, index) =>
        client.openUntilKnown(secret, claims[index] ?? "", app.url),
      ).then(() => {
        answered = true;
      });
      await eventually("an answer is held back", () => line.held() > 0 || answered);
      await app.kill();
      line.cut();
      line.mend();
      await app.replace();
      await each(secrets, (secret) => client.openUntilKnown(secret, newClaim(), app.url));
      await known;
    }),
};
