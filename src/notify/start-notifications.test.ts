import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Registry } from "prom-client";
import { createMemoryOutbox } from "../store/memory-outbox.ts";
import { newSecret } from "../testing/new-secret.ts";
import { startNotifications } from "./start-notifications.ts";
import { createTestChannel, createTestLog } from "./testing.ts";

describe("Notifications that are closed", () => {
  it("leave to others what a store that says nothing keeps them from finishing", async () => {
    const never = () => new Promise<never>(() => {});
    let asked = 0;
    const silent = () => {
      asked++;
      return never();
    };
    const notifications = startNotifications({
      channels: [createTestChannel()],
      store: { read: silent },
      outbox: { ...createMemoryOutbox(), take: silent },
      log: createTestLog(),
      trail: { write() {} },
      registry: new Registry(),
    });
    notifications.tell(newSecret().id);
    const keepsAlive = setInterval(() => {}, 1000);
    await notifications.close().finally(() => clearInterval(keepsAlive));
    assert.equal(asked, 2);
  });
});
