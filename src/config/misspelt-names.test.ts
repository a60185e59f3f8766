import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { knownNames } from "./environment.ts";
import { editDistance, findMisspeltNames } from "./misspelt-names.ts";
import { ordinaryEnvironment } from "./ordinary-environment.ts";

describe("findMisspeltNames", () => {
  it("names the setting that was probably meant", () => {
    for (const [written, meant] of [
      ["REDIS_URI", "REDIS_URL"],
      ["REDISURL", "REDIS_URL"],
      ["REDIS_URL_FILES", "REDIS_URL_FILE"],
      ["TTL_CHOICE", "TTL_CHOICES"],
      ["MAX_SECRET_BYTE", "MAX_SECRET_BYTES"],
      ["PUBLICURL", "PUBLIC_URL"],
      ["PUBLIC_URI", "PUBLIC_URL"],
      ["DEFAULT_TLL", "DEFAULT_TTL"],
      ["RATE_LIMIT_CREAT", "RATE_LIMIT_CREATE"],
      ["TRUST_PROXYS", "TRUST_PROXY"],
      ["ASISTED", "ASSISTED"],
      ["TLS_CERT", "TLS_CERT_FILE"],
      ["redis_url", "REDIS_URL"],
      ["WAXSEAL_REDIS_URL", "REDIS_URL"],
      ["EMBEDDED_MAX_BYTES", "STORE_BUDGET"],
      ["WAXSEAL_PORT", "PORT"],
      ["REDIS_REPLICAS", "REDIS_WAIT_REPLICAS"],
      ["WAXSEAL_REDIS_REPLICAS", "REDIS_WAIT_REPLICAS"],
      ["REDIS_PASSWD", "REDIS_PASSWORD"],
      ["WAXSEAL_TTL_CHOISES", "TTL_CHOICES"],
    ] as const) {
      const [problem = "", ...others] = findMisspeltNames({ [written]: "1" });
      assert.ok(
        problem.startsWith(`${written} is not a setting. Probably ${meant} is meant`),
        `${written}: ${problem}`,
      );
      assert.deepEqual(others, []);
    }
  });

  it("refuses an unknown name with our own prefix even where nothing is close", () => {
    assert.match(
      findMisspeltNames({ WAXSEAL_FOO: "1" })[0] ?? "",
      /^WAXSEAL_FOO is not a setting\. Remove it/,
    );
  });

  it("says so where a setting cannot come from a file", () => {
    assert.match(
      findMisspeltNames({ PUBLIC_URL_FILE: "/x" })[0] ?? "",
      /PUBLIC_URL_FILE is not read.*Set that one/,
    );
  });

  it("lets every setting and its file variant pass", () => {
    assert.deepEqual(findMisspeltNames(Object.fromEntries([...knownNames()].map((name) => [name, "1"]))), []);
  });

  it("lets the environments of shells, desktops, containers, CI and Kubernetes pass", () => {
    assert.deepEqual(findMisspeltNames(ordinaryEnvironment), []);
  });

  it("lets empty variables pass", () => {
    assert.deepEqual(findMisspeltNames({ REDIS_URI: "", WAXSEAL_FOO: " ", PUBLICURL: undefined }), []);
  });

  it("never repeats a value", () => {
    const problems = findMisspeltNames({
      REDIS_URI: "QX81",
      WAXSEAL_FOO: "QX81",
      REDIS_URL_FIL: "QX81",
      PORT_FILE: "QX81",
    });
    assert.equal(problems.length, 4);
    assert.ok(!problems.join().includes("QX81"));
  });
});

describe("editDistance", () => {
  it("counts insertions, deletions and replacements", () => {
    for (const [from, to, distance] of [
      ["", "", 0],
      ["abc", "abc", 0],
      ["", "abc", 3],
      ["kitten", "sitting", 3],
      ["REDIS_URI", "REDIS_URL", 1],
    ] as const) {
      assert.equal(editDistance(from, to), distance);
      assert.equal(editDistance(to, from), distance);
    }
  });
});
