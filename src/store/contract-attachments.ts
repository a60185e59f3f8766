import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSecret, newUpload, opening, uploadWhole } from "../testing/new-secret.ts";
import { type MakeStore, useStore } from "./contract-harness.ts";
import { MAX_RULES_BYTES, MAX_SENDER_BYTES, UPLOAD_LIMITS } from "./store.ts";

const ATTACHED = { rules: '{"countries":["IS"]}', sender: '{"email":"þóra@example.is","label":"Ætt 🔑"}' };

export function attachmentContract(makeStore: MakeStore): void {
  describe("rules and a sender", () => {
    const fixture = useStore(makeStore);

    it("are kept as they were given, through every state but that of an upload that came to nothing", async () => {
      const { store } = fixture.current;
      const [whole, { secret: upload, blob }] = [newSecret(ATTACHED), newUpload(3_000, ATTACHED)];
      await store.create(whole);
      await store.create(upload);
      for (const { id } of [whole, upload]) {
        const { rules, sender } = (await store.read(id)) ?? {};
        assert.deepEqual({ rules, sender }, ATTACHED);
      }
      await uploadWhole(store, upload, blob);
      for (const secret of [whole, upload]) {
        const request = opening(secret);
        await store.open(request);
        await store.acknowledge(secret.id, request.claim);
        const { rules, sender, state } = (await store.read(secret.id)) ?? {};
        assert.deepEqual({ rules, sender, state }, { ...ATTACHED, state: "opened" });
      }
    });

    it("are absent where none were given", async () => {
      const { store } = fixture.current;
      const [none, one] = [newSecret(), newSecret({ sender: "s" })];
      await store.create(none);
      await store.create(one);
      const record = await store.read(none.id);
      assert(record && !("rules" in record) && !("sender" in record));
      const other = await store.read(one.id);
      assert(other && !("rules" in other) && other.sender === "s");
    });

    it("belong to what makes a create the same one", async () => {
      const { store } = fixture.current;
      const { rules, sender } = ATTACHED;
      const { secret: upload } = newUpload(3_000);
      for (const secret of [newSecret(), upload]) {
        const first = await store.create({ ...secret, ...ATTACHED });
        assert(first.kind === "created" && !first.existed);
        const again = await store.create({ ...secret, ...ATTACHED });
        assert(again.kind === "created" && again.existed);
        const differences = [
          {},
          { rules },
          { sender },
          { rules: sender, sender: rules },
          { rules: `${rules}${sender[0]}`, sender: sender.slice(1) },
          { rules, sender: `${sender} ` },
        ];
        for (const difference of differences) {
          assert.deepEqual(await store.create({ ...secret, ...difference }), { kind: "conflict" });
        }
        assert.equal((await store.read(secret.id))?.sender, sender);
      }
    });

    it("have a bound, and nothing is kept of what is beyond it", async () => {
      const { store } = fixture.current;
      const longest = { rules: "ð".repeat(MAX_RULES_BYTES / 2), sender: "s".repeat(MAX_SENDER_BYTES) };
      const secret = newSecret(longest);
      await store.create(secret);
      const { rules, sender } = (await store.read(secret.id)) ?? {};
      assert.deepEqual({ rules, sender }, longest);
      for (const excess of [
        { rules: `${longest.rules}r` },
        { sender: `${longest.sender}s` },
        { rules: "" },
        { sender: "" },
      ]) {
        const [refused, { secret: upload }] = [newSecret(excess), newUpload(3_000, excess)];
        for (const one of [refused, upload]) {
          await assert.rejects(store.create(one), RangeError);
          assert.equal(await store.read(one.id), undefined);
        }
      }
    });

    it("lose the sender with an upload that is deleted or given up", async () => {
      const { store, advance } = fixture.current;
      const [deleted, abandoned] = [newUpload(3_000, ATTACHED).secret, newUpload(3_000, ATTACHED).secret];
      await store.create(deleted);
      await store.create(abandoned);
      await store.delete(deleted.id);
      await advance(UPLOAD_LIMITS.idle + 1);
      await store.collectAbandoned();
      for (const { id } of [deleted, abandoned]) {
        const record = await store.read(id);
        assert(record && !("sender" in record));
        assert.equal(record.rules, ATTACHED.rules);
      }
    });
  });
}
