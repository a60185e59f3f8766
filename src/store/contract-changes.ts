import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSecret } from "../testing/new-secret.ts";
import { until } from "../testing/until.ts";
import type { Changes } from "./changes.ts";

export interface ChangesRig {
  readonly changes: Changes;
  /** Of another replica, or of the same where there are none. */
  another(): Promise<Changes>;
  close(): Promise<void>;
}

/** What whoever looks on may rely on. */
export function changesContract(name: string, makeRig: () => Promise<ChangesRig>): void {
  async function withRig(use: (rig: ChangesRig) => Promise<void>): Promise<void> {
    const rig = await makeRig();
    try {
      await use(rig);
    } finally {
      await rig.close();
    }
  }

  describe(`${name} tell of changes`, () => {
    it("to everybody who watches that secret, here and elsewhere, and to nobody else", () =>
      withRig(async ({ changes, another }) => {
        const other = await another();
        const [secret, stranger] = [newSecret(), newSecret()];
        const heard = { here: 0, again: 0, there: 0, stranger: 0 };
        changes.watch(secret.id, () => heard.here++);
        changes.watch(secret.id, () => heard.again++);
        other.watch(secret.id, () => heard.there++);
        other.watch(stranger.id, () => heard.stranger++);
        // What one alone publishes is heard by the other only through its subscription, whose beginning counts once.
        const ways = [
          [changes, () => heard.there],
          [other, () => heard.here],
        ] as const;
        for (const [from, count] of ways) {
          const earlier = count();
          await until(() => {
            from.publish(secret.id);
            return count() > earlier + 1;
          });
        }
        assert.equal(heard.again, heard.here);
        const { stranger: before } = heard;
        assert.ok(before <= 1);
        const seen = { ...heard };
        other.publish(secret.id);
        await until(() => heard.here > seen.here && heard.there > seen.there && heard.again > seen.again);
        assert.equal(heard.stranger, before);
      }));

    it("no more to who has stopped, though they stop twice or while they are told", () =>
      withRig(async ({ changes }) => {
        const { id } = newSecret();
        let [stopped, once, going] = [0, 0, 0];
        const same = () => stopped++;
        const stops = [changes.watch(id, same), changes.watch(id, same)];
        const stopOnce = changes.watch(id, () => {
          once++;
          stopOnce();
        });
        for (const stop of [...stops, ...stops]) stop();
        changes.watch(id, () => going++);
        await until(() => {
          changes.publish(id);
          return going > 5;
        });
        assert.deepEqual([stopped, once], [0, 1]);
      }));

    it("nobody once they are closed, and do not mind being told then", () =>
      withRig(async ({ changes, another }) => {
        const other = await another();
        const { id } = newSecret();
        let [heard, elsewhere] = [0, 0];
        changes.watch(id, () => heard++);
        await until(() => {
          changes.publish(id);
          return heard > 1;
        });
        await changes.close();
        const before = heard;
        other.watch(id, () => elsewhere++);
        changes.publish(id);
        await until(() => {
          other.publish(id);
          return other === changes || elsewhere > 1;
        });
        assert.equal(heard, before);
      }));
  });
}
