import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nextDelay } from "./backoff.ts";

const HOUR = 3_600_000;
const plain = { since: 0, now: 0, random: 0.5 };

describe("The time to another attempt", () => {
  it("grows from seconds to two hours", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((attempt) => nextDelay({ ...plain, attempt }));
    assert.deepEqual(
      delays.map((delay) => (delay ?? 0) / 1000),
      [5, 30, 120, 600, 1800, 3600, 7200, 7200, 7200],
    );
  });

  it("is spread by a fifth, so that what failed together comes back apart", () => {
    assert.equal(nextDelay({ ...plain, attempt: 1, random: 0 }), 4_000);
    assert.equal(nextDelay({ ...plain, attempt: 1, random: 1 }), 6_000);
  });

  it("is what the other side asks for where that is longer, up to six hours", () => {
    assert.equal(nextDelay({ ...plain, attempt: 1, retryAfter: 90 }), 90_000);
    assert.equal(nextDelay({ ...plain, attempt: 4, retryAfter: 90 }), 600_000);
    assert.equal(nextDelay({ ...plain, attempt: 1, retryAfter: 86_400 * 30 }), 6 * HOUR);
  });

  it("ends a day after the event was queued", () => {
    assert.equal(nextDelay({ ...plain, attempt: 9, now: 21.9 * HOUR }), 2 * HOUR);
    assert.equal(nextDelay({ ...plain, attempt: 9, now: 22.1 * HOUR }), undefined);
    let [now, attempts] = [0, 0];
    for (;;) {
      attempts++;
      const delay = nextDelay({ ...plain, attempt: attempts, now });
      if (delay === undefined) break;
      now += delay;
    }
    assert.equal(attempts, 18);
  });
});
