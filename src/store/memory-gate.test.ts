import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { patiently } from "../testing/patiently.ts";
import { createMemoryGate, type Room } from "./memory-gate.ts";
import { StoreFullError, StoreUnavailableError } from "./store.ts";

/** Memory that several processes fill: each has a gate, and what it writes takes a turn to be there. */
function memory(budget: number | undefined) {
  const state = { used: 0, budget, readings: 0 };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    state,
    turn,
    process() {
      const gate = createMemoryGate(async () => {
        state.readings += 1;
        await turn();
        return { used: state.used, budget: state.budget };
      });
      return {
        ...gate,
        async write(bytes: number): Promise<"written" | "full"> {
          let room: Room;
          try {
            // Its patience is real time, which a busy machine may take: whoever waited in vain comes again.
            room = await patiently(() => gate.admit(bytes));
          } catch (error) {
            assert(error instanceof StoreFullError);
            return "full";
          }
          for (let turns = 0; turns < 3; turns++) await turn();
          state.used += bytes;
          room.landed();
          return "written";
        },
      };
    },
  };
}

const count = (results: readonly string[], wanted: string) =>
  results.filter((result) => result === wanted).length;

describe("The gate before a store's memory", () => {
  it("lets a process fill its budget to the last byte, and never beyond, however many come at once", async () => {
    const { state, process } = memory(1_000);
    const one = process();
    const results = await Promise.all(Array.from({ length: 300 }, () => one.write(10)));
    assert.equal(count(results, "written"), 100);
    assert.equal(state.used, 1_000);
    assert.equal(await one.write(1), "full");
  });

  it("lets several processes exceed it by an eighth each of what the others saw, at the most", async () => {
    for (const processes of [2, 3, 8]) {
      const { state, process } = memory(4_000);
      const all = Array.from({ length: processes }, process);
      const writes = all.flatMap((one) => Array.from({ length: 600 }, () => one.write(10)));
      const results = await Promise.all(writes);
      assert(count(results, "written") >= 400);
      assert(state.used <= 4_000 * (1 + (processes - 1) / 8), `${processes}: ${state.used}`);
    }
  });

  it("asks for few readings while there is plenty of room", async () => {
    const { state, process } = memory(1_000_000);
    const one = process();
    await Promise.all(Array.from({ length: 1_000 }, () => one.write(10)));
    assert(state.readings <= 5, `${state.readings}`);
  });

  it("looks again before it refuses, so that room which was just made counts", async () => {
    const { state, process } = memory(100);
    const one = process();
    assert.equal(await one.write(100), "written");
    assert.equal(await one.write(10), "full");
    state.used -= 10;
    assert.equal(await one.write(10), "written");
  });

  it("lets in one that is larger than a slice of the room, if it fits", async () => {
    const { process } = memory(100);
    assert.equal(await process().write(100), "written");
  });

  it("lets everything in where there is no limit", async () => {
    assert.equal(await memory(undefined).process().write(1e15), "written");
  });

  it("holds the room of an upload until its parts have landed or it ends early, and lets others by", async () => {
    const { state, process } = memory(1_000);
    const one = process();
    const upload = await one.admit(900, { lasting: true });
    assert.deepEqual(
      [await one.write(60), await one.write(60), await one.write(40)],
      ["written", "full", "written"],
    );
    state.used += 300;
    upload.landed(300);
    assert.equal(await one.write(1), "full");
    upload.release();
    assert.equal(await one.write(600), "written");
    assert.equal(await one.write(1), "full");
    upload.release();
    upload.landed();
    assert.equal(await one.write(1), "full");
  });

  it("says that it does not know where no reading comes", async () => {
    const gate = createMemoryGate(() => Promise.reject(new StoreUnavailableError()));
    await assert.rejects(gate.admit(1), StoreUnavailableError);
  });

  it("does not wait for ever for what never lands", async () => {
    const gate = createMemoryGate(async () => ({ used: 0, budget: 100 }));
    await gate.admit(50);
    await assert.rejects(gate.admit(40), StoreUnavailableError);
  });
});
