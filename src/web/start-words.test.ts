import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../config/parse-config.ts";
import { files } from "../config/problems-of.ts";
import { describeNetworkDoubts } from "./start-words.ts";

describe("What is said at start of times by network", () => {
  const doubts = (list?: string) =>
    describeNetworkDoubts(parseConfig(list === undefined ? {} : { MAX_TTL_BY_NETWORK: list }, files()));

  it("is that one protocol's clients may choose more, where only the other has a range for all", () => {
    assert.match(doubts("0.0.0.0/0=24h").join(), /0\.0\.0\.0\/0 and not ::\/0: .*MAX_TTL \(72h\)/);
    assert.match(doubts("10.0.0.0/8=72h,::/0=24h").join(), /::\/0 and not 0\.0\.0\.0\/0/);
  });

  it("is nothing otherwise", () => {
    for (const list of [undefined, "10.0.0.0/8=24h", "0.0.0.0/0=24h,::/0=24h"])
      assert.deepEqual(doubts(list), []);
  });
});
