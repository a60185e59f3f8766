import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultsOf, tally } from "./tally.ts";

const [opened, deleted] = ["opened f00d 2026-01-01T00:00:00.000Z", "deleted beef 2026-01-01T00:00:00.000Z"];
const arrival = (event: string, key = event, accepted = true) => ({ event, key, accepted });

describe("The tally of notifications", () => {
  it("finds nothing wrong where each arrives, also where one comes again with its key", () => {
    const told = tally([opened, deleted], [arrival(opened), arrival(deleted), arrival(deleted)]);
    assert.deepEqual(faultsOf(told), []);
    assert.deepEqual([told.once, told.repeated], [1, [deleted]]);
    assert.deepEqual([...(told.kinds.deleted?.times ?? [])], [[2, 1]]);
  });

  it("does not count what the receiver did not accept", () => {
    const told = tally([opened], [arrival(opened, "key", false), arrival(opened, "key")]);
    assert.deepEqual([told.once, faultsOf(told)], [1, []]);
    assert.deepEqual(tally([opened], [arrival(opened, "key", false)]).lost, [opened]);
  });

  it("finds what never came, has two keys, never happened, or has another event's key", () => {
    const never = "opened cafe 2026-01-01T00:00:00.000Z";
    const arrivals = [arrival(opened, "a"), arrival(opened, "b", false), arrival(never, "a")];
    assert.deepEqual(faultsOf(tally([opened, deleted], arrivals)), [
      `never told: ${deleted}`,
      `told with two keys: ${opened}`,
      `told and never happened: ${never}`,
      "one key for two events: a",
    ]);
  });
});
