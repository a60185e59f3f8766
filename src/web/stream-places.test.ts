import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Problem } from "./problem.ts";
import { createStreamPlaces } from "./stream-places.ts";

const refusedWith = (status: number) => (error: unknown) =>
  error instanceof Problem && error.status === status && error.headers["Retry-After"] === "30";

describe("Places for streams", () => {
  it("are so many for an address and so many in all, and can be had again", () => {
    const places = createStreamPlaces({ total: 3, perAddress: 2 });
    const back = [places.take("a"), places.take("a")];
    assert.throws(() => places.take("a"), refusedWith(429));
    places.take("b");
    assert.throws(() => places.take("c"), refusedWith(503));
    back[0]?.();
    places.take("c");
    assert.equal(places.taken, 3);
  });
});
