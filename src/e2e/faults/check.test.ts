import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { check } from "./check.ts";
import type { Call } from "./history.ts";

const RULES = { window: 30_000, bound: 5_000 };

type Told = Pick<Call, "answer"> & Partial<Pick<Call, "state" | "probe" | "share">>;

function created(start: number, end: number, answer: Call["answer"] = 201): Call {
  return { op: "create", secret: "s", share: "S", start, end, answer };
}
function opened(reader: string, start: number, end: number, told: Told): Call {
  const share = told.answer === 200 ? { share: "S" } : {};
  return { op: "open", secret: "s", reader, start, end, ...share, ...told };
}
function receipt(start: number, end: number, told: Told): Call {
  return { op: "receipt", secret: "s", start, end, ...told };
}
const ENDED = { answer: 410, state: "opened" } as const;
const probed = (told: Told) => opened("probe", 9_000, 9_010, { ...told, probe: true });

function judge(...calls: Call[]) {
  const { readTwice, lost, unread, givenUp, wrongStates, late, unexpected } = check(calls, RULES);
  const counts = { readTwice, lost, unread, givenUp, wrongStates, late, unexpected };
  const found = Object.entries(counts).filter(([, names]) => names.length > 0);
  return Object.fromEntries(found.map(([name, names]) => [name, names.length]));
}

describe("The checker of histories", () => {
  it("finds nothing wrong with one reader and a refused second one", () => {
    const calls = [
      created(0, 10),
      receipt(11, 15, { answer: 200, state: "sealed" }),
      opened("a", 20, 30, { answer: 200 }),
      opened("b", 40, 50, ENDED),
      receipt(60, 70, { answer: 200, state: "opened", probe: true }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), {});
  });

  it("finds two readers, whether one came after the other or both at once", () => {
    for (const start of [25, 40]) {
      const calls = [
        created(0, 10),
        opened("a", 20, 30, { answer: 200 }),
        opened("b", start, 50, { answer: 200 }),
        probed(ENDED),
      ];
      assert.deepEqual(judge(...calls), { readTwice: 1 });
    }
  });

  it("counts the probe as a reader like any other", () => {
    assert.deepEqual(judge(created(0, 10), probed({ answer: 200 })), {});
    assert.deepEqual(judge(created(0, 10), opened("a", 20, 30, { answer: 200 }), probed({ answer: 200 })), {
      readTwice: 1,
    });
  });

  it("takes the same claim within the window for one reader", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 30, { answer: 200 }),
      opened("a", 29_000, 29_010, { answer: 200 }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), {});
  });

  it("takes the same claim after the window for another reader", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 30, { answer: 200 }),
      opened("a", 30_031, 30_040, { answer: 200 }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), { readTwice: 1 });
  });

  it("sees one reader where a first answer was lost and the claim came again", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 1_020, { answer: 503 }),
      opened("a", 1_100, 1_200, { answer: "broken" }),
      opened("b", 1_100, 1_110, ENDED),
      opened("a", 2_000, 2_010, { answer: 200 }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), {});
  });

  it("finds an acknowledged create that is gone, unknown or called lost", () => {
    assert.deepEqual(judge(created(0, 10), probed({ answer: 404 })), { lost: 1 });
    assert.deepEqual(judge(created(0, 10), probed({ answer: 410, state: "lost" })), { lost: 1 });
  });

  it("finds an acknowledged create lost by an open whose answer never came", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 30, { answer: "broken" }),
      opened("a", 40, 50, { answer: 404 }),
      probed({ answer: 404 }),
    ];
    assert.deepEqual(judge(...calls), { lost: 1 });
  });

  it("lets a create be gone that was never acknowledged", () => {
    const calls = [created(0, 500, 503), created(600, 700, "broken"), probed({ answer: 404 })];
    assert.deepEqual(judge(...calls), {});
  });

  it("lets a secret be unknown after it was read", () => {
    const calls = [created(0, 10), opened("a", 20, 30, { answer: 200 }), probed({ answer: 404 })];
    assert.deepEqual(judge(...calls), {});
  });

  it("finds a secret that is used up though nobody was handed it", () => {
    const calls = [created(0, 10), opened("a", 20, 30, { answer: 503 }), opened("a", 40, 50, ENDED)];
    assert.deepEqual(judge(...calls, probed(ENDED)), { unread: 1 });
  });

  it("tells it from one whose claimant gave up", () => {
    const calls = [created(0, 10), opened("a", 20, 30, { answer: 503 }), opened("b", 40, 50, ENDED)];
    assert.deepEqual(judge(...calls, probed(ENDED)), { givenUp: 1 });
  });

  it("finds states that nothing can have led to", () => {
    const sealedAgain = [
      created(0, 10),
      opened("a", 20, 30, { answer: 200 }),
      receipt(40, 50, { answer: 200, state: "sealed" }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...sealedAgain), { wrongStates: 1 });
    const openedByNobody = [
      created(0, 10),
      receipt(20, 30, { answer: 200, state: "opened" }),
      opened("a", 40, 50, { answer: 200 }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...openedByNobody), { wrongStates: 1 });
    const unknownForAWhile = [
      created(0, 10),
      receipt(20, 30, { answer: 404 }),
      opened("a", 40, 50, { answer: 200 }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...unknownForAWhile), { wrongStates: 1 });
    const expired = [
      created(0, 10),
      receipt(20, 30, { answer: 200, state: "expired" }),
      probed({ answer: 200 }),
    ];
    assert.deepEqual(judge(...expired), { wrongStates: 1 });
  });

  it("leaves open what was asked while something else was under way", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 60, { answer: 200 }),
      receipt(30, 40, { answer: 200, state: "opened" }),
      receipt(50, 70, { answer: 200, state: "sealed" }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), {});
  });

  it("finds what took too long, what failed otherwise than with 503, and another secret's share", () => {
    const calls = [
      created(0, 10),
      opened("a", 20, 6_000, { answer: 503 }),
      opened("a", 6_000, 6_010, { answer: 500 }),
      opened("a", 6_020, 6_030, { answer: 200, share: "T" }),
      probed(ENDED),
    ];
    assert.deepEqual(judge(...calls), { late: 1, unexpected: 2 });
  });

  it("does not call a secret kept that nobody probed", () => {
    assert.deepEqual(judge(created(0, 10)), { unexpected: 1 });
  });
});
