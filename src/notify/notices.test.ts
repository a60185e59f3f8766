import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SecretEvent, SecretRecord } from "../store/store.ts";
import { anyDigest, newSecret } from "../testing/new-secret.ts";
import type { NotifyEvent } from "./event.ts";
import { FRESH, type NoticeOptions, noticesOf } from "./notices.ts";
import { createTestChannel } from "./testing.ts";

const NOW = 1_800_000_000_000;
const hook = createTestChannel({ name: "hook" });
const mail = createTestChannel({ name: "mail", kind: "mail", wants: ({ email }) => email !== undefined });
const SENDER = JSON.stringify({ email: "ann@example.org", label: "the key" });

function record(
  events: readonly [SecretEvent["kind"], number][],
  fields: Partial<SecretRecord> = {},
): SecretRecord {
  return {
    id: newSecret().id,
    linkHash: anyDigest(),
    receiptHash: anyDigest(),
    state: "sealed",
    passphrase: false,
    size: 1,
    createdAt: NOW,
    expiresAt: NOW + 1,
    triesLeft: 1,
    events: events.map(([kind, at]) => ({ kind, at })),
    ...fields,
  };
}

function notices(of: SecretRecord, options: Partial<NoticeOptions> = {}) {
  const all = noticesOf(of, { channels: [hook], secret: "f00d", now: NOW, atLeastTheEnd: false, ...options });
  return all.map(({ body, ...rest }) => ({ ...rest, event: JSON.parse(body) as NotifyEvent }));
}
const kinds = (of: SecretRecord, options?: Partial<NoticeOptions>) =>
  notices(of, options).map(({ event }) => event.kind);

describe("What is to be told of a secret", () => {
  it("is every event that somebody outside may be told of, by the words for outside", () => {
    const told = notices(
      record([
        ["sealed", NOW],
        ["visited", NOW],
        ["refused-hours", NOW],
        ["wrong-passphrase", NOW],
        ["locked", NOW],
        ["unlocked", NOW],
        ["opened", NOW],
        ["received", NOW],
      ]),
    );
    assert.deepEqual(
      told.map(({ event: { kind, reason } }) => [kind, reason]),
      [
        ["created", undefined],
        ["refused", "hours"],
        ["wrong-passphrase", undefined],
        ["locked", undefined],
        ["unlocked", undefined],
        ["opened", undefined],
      ],
    );
    assert.equal(new Set(told.map(({ key }) => key)).size, told.length);
    for (const { key } of told) assert.match(key, /^msg_[A-Za-z0-9_-]{24}$/);
  });

  it("has a key of its own for each event, time, secret and destination, and the same each time", () => {
    const of = (kind: SecretEvent["kind"], at: number) =>
      record([
        ["sealed", NOW],
        [kind, at],
      ]);
    const keyOf = (one: SecretRecord, options?: Partial<NoticeOptions>) => notices(one, options).at(-1)?.key;
    const key = keyOf(of("locked", NOW));
    assert.equal(keyOf(of("locked", NOW), { now: NOW + 5, opener: "192.0.2.1", atLeastTheEnd: true }), key);
    assert.notEqual(keyOf(of("unlocked", NOW)), key);
    assert.notEqual(keyOf(of("locked", NOW + 1)), key);
    assert.notEqual(keyOf(of("locked", NOW), { secret: "beef" }), key);
    assert.notEqual(keyOf(of("locked", NOW), { channels: [createTestChannel({ name: "other" })] }), key);
  });

  it("gives the sender's label to all, and the sender's address to mail alone", () => {
    const one = record(
      [
        ["sealed", NOW],
        ["opened", NOW],
      ],
      { sender: SENDER, state: "opened" },
    );
    const told = notices(one, { channels: [hook, mail] }).filter(({ event }) => event.kind === "opened");
    const event = { kind: "opened", at: NOW, secret: "f00d", label: "the key" };
    assert.deepEqual(
      told.map((each) => [each.to, each.event]),
      [
        ["hook", event],
        ["mail", { ...event, email: "ann@example.org" }],
      ],
    );
  });

  it("says who opened it where that is known, and of no other event who caused it", () => {
    const one = record([
      ["sealed", NOW],
      ["wrong-passphrase", NOW],
      ["opened", NOW],
    ]);
    const addresses = notices(one, { opener: "192.0.2.1" }).map(({ event }) => event.address);
    assert.deepEqual(addresses, [undefined, undefined, "192.0.2.1"]);
  });

  it("goes to those channels alone that want it", () => {
    const some = createTestChannel({ name: "some", wants: ({ kind }) => kind === "locked" });
    assert.deepEqual(
      kinds(
        record([
          ["sealed", NOW],
          ["locked", NOW],
        ]),
        { channels: [some] },
      ),
      ["locked"],
    );
  });

  it("holds no id", () => {
    const one = record([["sealed", NOW]], { sender: SENDER });
    assert(
      !JSON.stringify(
        noticesOf(one, { channels: [hook, mail], secret: "f00d", now: NOW, atLeastTheEnd: true }),
      ).includes(one.id),
    );
  });

  it("leaves out what is so old that nobody remembers whether it was told, but not an end that nobody told", () => {
    const old = NOW - FRESH - 1;
    const one = record(
      [
        ["sealed", old],
        ["locked", old],
        ["expired", old],
      ],
      { state: "expired" },
    );
    assert.deepEqual(kinds(one), []);
    assert.deepEqual(kinds(one, { atLeastTheEnd: true }), ["expired"]);
  });

  it("is nothing of an upload that never became a secret", () => {
    assert.deepEqual(kinds(record([["deleted", NOW]], { state: "deleted" }), { atLeastTheEnd: true }), []);
    assert.deepEqual(kinds(record([], { state: "uploading" })), []);
  });

  it("does without a sender that another version wrote", () => {
    for (const sender of ["", "no JSON", "null", "[]", '{"email":7,"label":{}}']) {
      const [told] = notices(record([["sealed", NOW]], { sender }), { channels: [hook, mail] });
      assert.deepEqual(told?.event, { kind: "created", at: NOW, secret: "f00d" });
    }
  });
});
