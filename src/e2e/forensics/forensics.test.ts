import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Measured, measure } from "./measure.ts";
import { findBreaches } from "./verdict.ts";

/** npm run forensics does the same with more secrets, and in every mode. */
const FEW = { secrets: 3, assisted: 1, window: 1, rounds: 3 };

/** How many secrets' shares are in a Redis' memory while they are sealed: what the search has to see. */
function sealedShares({ looks }: Measured, owner: string): number | undefined {
  return looks
    .find(({ place, phase }) => place.owner === owner && place.kind === "memory" && phase === "sealed")
    ?.finds.count("share");
}

/** Shares in Node's memory once others were opened: what Node read last is in a buffer that it does not clear. */
function keptByNode({ looks }: Measured): string[] {
  return looks
    .filter(
      ({ place, phase }) => place.owner === "Node.js" && place.kind === "memory" && phase === "after use",
    )
    .flatMap(({ finds }) => finds.hits.filter(({ marker }) => marker.kind.startsWith("share")))
    .map(({ form, around }) => `${form}: ${around}`);
}

describe("What stays behind of a secret", () => {
  it("is, on a Redis that has nothing but memory, no share anywhere and nothing readable outside of Node", async () => {
    const measured = await measure("memory-only", FEW);
    assert.equal(sealedShares(measured, "redis"), FEW.secrets);
    assert.deepEqual(findBreaches(measured), []);
    assert.deepEqual(keptByNode(measured), []);
  });

  it("is, with records on a disk and shares in a keyring, no share on that disk and none anywhere else", async () => {
    const measured = await measure("durable", { ...FEW, assisted: 0 });
    assert.equal(sealedShares(measured, "keyring"), FEW.secrets);
    assert.equal(sealedShares(measured, "redis"), 0);
    const onDisk = measured.looks.find(({ place }) => place.owner === "redis" && place.kind === "disk");
    assert.ok((onDisk?.finds.count("ciphertext") ?? 0) > 0, "the disk was not searched");
    assert.deepEqual(findBreaches(measured), []);
    assert.deepEqual(keptByNode(measured), []);
  });
});
