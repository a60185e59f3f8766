import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreFullError } from "../store/store.ts";
import { createTestApp } from "../testing/test-app.ts";
import { until } from "../testing/until.ts";
import { startExpiryWatch } from "./expiry-watch.ts";

describe("The watch for what ran out", () => {
  it("goes on, and looks for uploads that were given up, while an end can't be told, and says so once", async () => {
    const { log, logLines } = createTestApp();
    let [expired, abandoned] = [0, 0];
    const watch = startExpiryWatch({
      store: {
        async collectExpired() {
          expired++;
          throw new StoreFullError();
        },
        async collectAbandoned() {
          abandoned++;
          return [];
        },
      },
      log,
      every: 1,
    });
    await until(() => expired > 2 && abandoned > 2);
    watch.stop();
    assert.deepEqual(
      logLines().map(({ msg }) => msg),
      ["cannot look for expired secrets"],
    );
  });
});
