import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { newSecret, opening, readWhole } from "../testing/new-secret.ts";
import { openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { RedisFault, storeError } from "./redis-faults.ts";
import { StoreFullError, StoreUnavailableError } from "./store.ts";

function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: "ReplyError" });
}

describe("What the store makes of an error from Redis", () => {
  it("tells full from unavailable, as Redis 6.2 and as 7 say it", () => {
    for (const message of [
      "OOM command not allowed when used memory > 'maxmemory'.",
      "OOM command not allowed when used memory > 'maxmemory'. script: 9f3c, on @user_script:31.",
      "ERR Error running script (call to f_9f3c): @user_script:31: @user_script: 31: -OOM command not allowed when used memory > 'maxmemory'. ",
    ]) {
      assert(storeError(replyError(message)) instanceof StoreFullError);
    }
    for (const message of ["READONLY You can't write against a read only replica.", "LOADING", "BUSY"]) {
      assert(storeError(replyError(message)) instanceof StoreUnavailableError);
    }
  });

  it("keeps the code of what went wrong and nothing that was sent", () => {
    const codes = [
      [replyError("WRONGTYPE Operation against a key holding the wrong kind of value"), "WRONGTYPE"],
      [replyError("ERR unknown command 'GETEX', with args beginning with: 'ws:{x}:share'"), "ERR"],
      [Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
      [new Error("Command timed out"), "ETIMEDOUT"],
      [new Error("Socket timeout. Expecting data, but didn't receive any in 900ms."), "ETIMEDOUT"],
      [new Error("Cluster isn't ready and enableOfflineQueue options is false"), "ENOTCONNECTED"],
      [new Error("Too many Cluster redirections. Last error: ReplyError: TRYAGAIN"), "EREDIRECTIONS"],
      [replyError("ERR This instance has cluster support disabled"), "ENOTCLUSTER"],
      [
        Object.assign(new Error("Failed to refresh slots cache."), {
          lastNodeError: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
        }),
        "ECONNREFUSED",
      ],
      [new Error("All sentinels are unreachable. Retrying from scratch after 25ms."), "ESENTINELS"],
      [
        new Error(
          "All sentinels are unreachable. Retrying… Last error: WRONGPASS invalid username-password pair",
        ),
        "ESENTINELAUTH",
      ],
      ["text", "UNKNOWN"],
    ] as const;
    for (const [error, code] of codes) {
      const fault = new RedisFault(error);
      assert.equal(fault.code, code);
      assert.equal(fault.message, `Redis: ${code}`);
      assert.equal(fault.cause, undefined);
    }
  });

  it("shows no id, share, digest or claim, however a failed act is printed", async () => {
    const server = await startRedis();
    const admin = await server.client();
    const store = await openRedisStore(server.port);
    const secret = newSecret();
    await store.create(secret);
    const request = opening(secret);
    // Whoever may not do what the store does is answered with errors that quote commands and keys.
    await admin.acl("SETUSER", "default", "-set", "-getex", "-get", "-hgetall", "-hmget");
    const failures = await Promise.allSettled([
      store.create(newSecret({ ...secret, id: newSecret().id })),
      store.open(request),
      store.read(secret.id),
      readWhole(store, secret),
      store.acknowledge(secret.id, request.claim),
    ]);
    const hidden = [secret.share, secret.linkHash, secret.accessHash, secret.receiptHash, request.claim]
      .map((value) => Buffer.from(value))
      .flatMap((value) => [value.toString("hex"), value.toString("base64"), value.toString("base64url")]);
    for (const failure of failures) {
      assert(failure.status === "rejected" && failure.reason instanceof StoreUnavailableError);
      const shown = inspect(failure.reason, { depth: 20, showHidden: true, maxArrayLength: null });
      for (const value of [secret.id, ...hidden]) assert(!shown.includes(value));
      assert.doesNotMatch(shown, /Buffer|args/);
    }
    await store.close();
    await server.stop();
  });
});
