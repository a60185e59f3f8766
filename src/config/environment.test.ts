import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "./parse-config.ts";
import { files, pem, problemsOf } from "./problems-of.ts";

describe("secrets from files", () => {
  it("reads NAME_FILE and drops one newline at its end", () => {
    const config = parseConfig(
      { REDIS_URL_FILE: "/run/url", KEYRING_REDIS_URL_FILE: "/run/ring" },
      files({ "/run/url": "redis://:pw@h\n", "/run/ring": "redis://r\r\n" }),
    );
    assert.equal(config.redis?.password, "pw");
    assert.equal(config.keyringRedis?.kind === "single" && config.keyringRedis.host, "r");
  });

  it("refuses NAME and NAME_FILE together", () => {
    const problems = problemsOf(
      { REDIS_URL: "redis://a", REDIS_URL_FILE: "/run/url" },
      files({ "/run/url": "redis://b" }),
    );
    assert.deepEqual(problems, ["REDIS_URL and REDIS_URL_FILE are both set. Remove one of them."]);
  });

  it("says why a file cannot be used, with the variable's name", () => {
    assert.match(
      problemsOf({ REDIS_URL_FILE: "/missing" }).join(),
      /^REDIS_URL_FILE: the file cannot be read \(ENOENT\)/,
    );
    assert.match(
      problemsOf({ REDIS_URL_FILE: "/e" }, files({ "/e": "\n" })).join(),
      /^REDIS_URL_FILE: the file is empty/,
    );
    assert.match(
      problemsOf({ REDIS_URL_FILE: "redis://:QX81@h" }).join(),
      /^REDIS_URL_FILE: holds the content itself/,
    );
  });

  it("never repeats a password, a key or a path in any problem", () => {
    const secret = "QX81QX81";
    const wrong = [
      { REDIS_URL: `http://:${secret}@h` },
      { REDIS_URL_FILE: `redis://:${secret}@h` },
      { REDIS_URL_FILE: secret },
      { KEYRING_REDIS_URL: `redis://:${secret}@h` },
      { REDIS_URL: `redis://:${secret}@h`, KEYRING_REDIS_URL: `redis://:${secret}@h` },
      { PUBLIC_URL: `https://u:${secret}@h` },
      { PUBLIC_URL: `https://h/?${secret}` },
      { TLS_KEY_FILE: `-----BEGIN PRIVATE KEY-----${secret}` },
      { TLS_CERT_FILE: "/c", TLS_KEY_FILE: `-----BEGIN PRIVATE KEY-----${secret}` },
      { REDIS_KEY_FILE: `-----BEGIN PRIVATE KEY-----${secret}` },
      { REDIS_KEY_FILE: secret },
      { REDIS_CA_FILE: "/not-pem" },
      { REDIS_URI: `redis://:${secret}@h` },
    ];
    for (const environment of wrong) {
      const problems = problemsOf(environment, files({ "/c": pem, "/not-pem": secret }));
      assert.notEqual(problems.length, 0, Object.keys(environment).join());
      assert.ok(!problems.join().includes(secret), problems.join());
    }
  });
});
