import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SentSecret } from "./attempt.ts";
import { createLinkMaker, type Watcher } from "./link-maker.ts";

type Answer = () => Promise<SentSecret>;

const sent = (receiptBearer: string) => ({ receiptBearer }) as SentSecret;
const limited = (retryAfter: number) =>
  Object.assign(new Error("limited"), { body: { code: "limited" }, retryAfter });

/** `answers`: what each person's sends come to, in order; a person without any succeeds. */
function begin(count: number, answers: Readonly<Record<number, Answer[]>> = {}, mayPass = true) {
  const log: string[] = [];
  const maker = createLinkMaker(count, {
    begin: async (index) => {
      log.push(`begin ${index}`);
      return {
        send: async () => {
          log.push(`send ${index}`);
          return (answers[index]?.shift() ?? (async () => sent(`wsr_${index}`)))();
        },
        discard: () => log.push(`discard ${index}`),
      };
    },
    mayPass: () => mayPass,
    deleteSecret: async (bearer) => {
      log.push(`delete ${bearer}`);
    },
  });
  const watcher: Watcher = {
    turn: () => undefined,
    made: (index) => log.push(`made ${index}`),
    waiting: (seconds) => log.push(`wait ${seconds}`),
    progress: { set: () => undefined, lost: () => undefined },
  };
  const run = (signal = new AbortController().signal) => maker.run(watcher, signal);
  return { log, maker, run };
}

const fail = async () => {
  throw new Error("no answer");
};

describe("making a link for each person", () => {
  it("makes them one after another", async () => {
    const { log, run } = begin(3);
    await run();
    assert.deepEqual(
      log,
      [0, 1, 2].flatMap((i) => [`begin ${i}`, `send ${i}`, `made ${i}`]),
    );
  });

  it("keeps what was made when one fails, and goes on with the very same bytes", async () => {
    const { log, run } = begin(3, { 1: [fail] });
    await assert.rejects(run(), /no answer/);
    assert.deepEqual(log.splice(0), ["begin 0", "send 0", "made 0", "begin 1", "send 1"]);
    await run();
    assert.deepEqual(log, ["send 1", "made 1", "begin 2", "send 2", "made 2"]);
  });

  it("begins anew with what the server won't ever take", async () => {
    const { log, run } = begin(2, { 1: [fail] }, false);
    await assert.rejects(run());
    await run();
    assert.deepEqual(log.slice(3), ["begin 1", "send 1", "discard 1", "begin 1", "send 1", "made 1"]);
  });

  it("waits as long as the server asks where it limits, and sends the same again", async () => {
    const answer = async () => {
      throw limited(1);
    };
    const { log, run } = begin(1, { 0: [answer, answer] });
    await run();
    assert.deepEqual(log, ["begin 0", "send 0", "wait 1", "send 0", "wait 1", "send 0", "made 0"]);
  });

  it("stops at once when told to, while it waits too", async () => {
    const stop = new AbortController();
    const answer = async () => {
      setImmediate(() => stop.abort());
      throw limited(3_600);
    };
    const { log, run } = begin(2, { 1: [answer] });
    await assert.rejects(run(stop.signal), { name: "AbortError" });
    assert.deepEqual(log.slice(3), ["begin 1", "send 1", "wait 3600", "discard 1"]);
  });

  it("deletes what was on its way when it was stopped", async () => {
    const stop = new AbortController();
    let arrive: (secret: SentSecret) => void = () => undefined;
    const answer = () =>
      new Promise<SentSecret>((resolve) => {
        arrive = resolve;
        setImmediate(() => stop.abort());
      });
    const { log, run } = begin(1, { 0: [answer] });
    await assert.rejects(run(stop.signal), { name: "AbortError" });
    assert.deepEqual(log, ["begin 0", "send 0", "discard 0"]);
    arrive(sent("wsr_late"));
    await new Promise(setImmediate);
    assert.deepEqual(log.at(-1), "delete wsr_late");
  });
});
