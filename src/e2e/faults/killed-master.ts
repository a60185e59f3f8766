import { newClaim } from "../../testing/sealed-secret.ts";
import { eventually } from "./eventually.ts";
import { divide, each, type Fault } from "./fault.ts";
import { onTrio } from "./on-trio.ts";

/**
 * People are handed their secrets and others are told that theirs are kept; in that moment the master
 * is gone, with everything that was still on its way to the replicas. The line to them is slow: what
 * is on it arrives when somebody waits for it, and not before.
 */
export const killedAfterReply: Fault = {
  name: "master killed after the reply",
  mustFail: { "claim without WAIT": ["read twice", "lost"], "plain GETDEL": ["read twice", "lost"] },
  episodes: { full: 5, short: 1 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app }, client, secrets) => {
      const [early, late] = divide(secrets);
      await each(early, (secret) => client.createSurely(secret, app));
      await trio.caughtUp();
      trio.holdUplinks();
      const claims = early.map(() => newClaim());
      let answered = false;
      const told = Promise.all([
        each(late, (secret) => client.create(secret, app)),
        each(early, (secret, index) => client.open(secret, claims[index] ?? "", app)),
      ]).finally(() => {
        answered = true;
      });
      await eventually("everybody is answered", async () => {
        if (!answered && (await trio.isWaitedFor())) trio.holdUplinks();
        return answered;
      });
      const [created, asked] = await told;
      trio.cutUplinks();
      await trio.master().redis.kill();

      const [replica] = trio.replicas();
      if (replica) await trio.promote(replica);
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

/**
 * The master has done what it was asked, its replicas know, and it is gone before its answer arrives.
 * Each episode takes another answer of those that one open consists of.
 */
export const killedBeforeReply: Fault = {
  name: "master killed before the reply",
  mustFail: { "plain GETDEL": ["lost"] },
  episodes: { full: 10, short: 3 },
  setUp: (algorithm) =>
    onTrio(algorithm, async ({ trio, app, line }, client, secrets, number) => {
      await each(secrets, (secret) => client.createSurely(secret, app));
      line.holdAnswers(number);
      let answered = false;
      const claims = secrets.map(() => newClaim());
      const known = each(secrets, (secret, index) =>
        client.openUntilKnown(secret, claims[index] ?? "", app),
      ).then(() => {
        answered = true;
      });
      // Where everything was answered before so many answers, it is killed after the last one.
      await eventually("an answer is held back", () => line.held() > 0 || answered);
      await trio.caughtUp();
      line.cut();
      await trio.master().redis.kill();

      const [replica] = trio.replicas();
      if (replica) await trio.promote(replica);
      const strangers = each(secrets, (secret) => client.openUntilKnown(secret, newClaim(), app));
      await trio.heal();
      await Promise.all([known, strangers]);
    }),
};
