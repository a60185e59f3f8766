import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ConfigError } from "./config-error.ts";
import { ordinaryEnvironment } from "./ordinary-environment.ts";
import { parseConfig } from "./parse-config.ts";
import { files, problemsOf } from "./problems-of.ts";

describe("parseConfig", () => {
  it("gives the documented defaults for an empty environment", () => {
    const { publicUrl, linkUrl, ...config } = parseConfig({}, files());
    assert.equal(publicUrl.href, "http://localhost:8080/");
    assert.equal(linkUrl.href, "http://localhost:8080/");
    assert.deepEqual(config, {
      host: "127.0.0.1",
      port: 8080,
      redirectPort: undefined,
      tls: { kind: "off" },
      basePath: "",
      role: "both",
      createAllowCidrs: undefined,
      openAllowCidrs: undefined,
      requirePassphrase: false,
      maxTtlByNetwork: [],
      geoipDb: undefined,
      redis: undefined,
      keyringRedis: undefined,
      redisTls: { ca: undefined, cert: undefined, key: undefined, serverName: undefined },
      redisKeyPrefix: "",
      redisWaitReplicas: 0,
      keyringRedisWaitReplicas: 0,
      redisWaitTimeout: 500,
      trustProxy: false,
      ttlChoices: [1, 4, 12, 24, 48, 72].map((hours) => hours * 3600),
      defaultTtl: 86_400,
      maxTtl: 259_200,
      maxSecretBytes: 26_214_400,
      maxFiles: 100,
      uploadsMaxBytes: 1_073_741_824,
      uploadsPerAddress: 8,
      retention: 2_592_000,
      passphraseTries: 10,
      redeliveryWindow: 30,
      rateLimitCreate: { count: 60, seconds: 600 },
      rateLimitOpen: { count: 120, seconds: 60 },
      rateLimitMiss: { count: 30, seconds: 60 },
      storeBudget: { kind: "share", share: 0.8 },
      embeddedMaxBytes: 268_435_456,
      mail: undefined,
      webhooks: [],
      webhookAllowCidrs: [],
      webhookCa: undefined,
      notifyAddresses: false,
      auditAddresses: "none",
      auditSyslog: undefined,
      assisted: true,
      metricsPort: undefined,
      logLevel: "info",
    });
  });

  it("is not moved by an ordinary environment", () => {
    assert.deepEqual(parseConfig(ordinaryEnvironment, files()), parseConfig({}, files()));
  });

  it("counts empty and blank variables as unset", () => {
    const blank = {
      PORT: "",
      REDIS_URL: " ",
      REDIS_URL_FILE: "",
      TLS_CERT_FILE: "",
      TRUST_PROXY: "\t",
      REDIS_CA_FILE: "",
    };
    assert.deepEqual(parseConfig(blank, files()), parseConfig({}, files()));
  });

  it("reports every problem at once, each with its setting's name", () => {
    const problems = problemsOf({
      PORT: "http",
      TTL_CHOICES: "1",
      ASSISTED: "true",
      RATE_LIMIT_MISS: "30",
      TRUST_PROXY: "true",
      REDIS_URI: "x",
      TLS_CERT_FILE: "/missing",
    });
    assert.deepEqual(
      problems.map((problem) => problem.split(/[: ]/)[0]),
      ["REDIS_URI", "PORT", "TRUST_PROXY", "TTL_CHOICES", "RATE_LIMIT_MISS", "ASSISTED", "TLS_CERT_FILE"],
    );
    assert.match(
      new ConfigError(problems).message,
      /^Waxseal did not start: 7 settings need a correction\.\n {2}- REDIS_URI/,
    );
  });

  it("is frozen all the way down, address included", () => {
    const config = parseConfig({ TRUST_PROXY: "loopback", REDIS_URL: "redis://h" }, files());
    assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
    assert.throws(() => Object.assign(config.rateLimitOpen, { count: 1 }), TypeError);
    assert.throws(() => Object.assign(config.redis ?? {}, { host: "x" }), TypeError);
    assert.throws(() => Object.assign(config.publicUrl, { hostname: "evil.example" }), TypeError);
    assert.throws(() => (config.ttlChoices as number[]).push(1), TypeError);
    assert.throws(() => (config.trustProxy as string[]).push("::/1"), TypeError);
  });

  it("takes booleans as on and off only", () => {
    assert.equal(parseConfig({ ASSISTED: "off" }, files()).assisted, false);
    for (const text of ["true", "false", "1", "0", "yes", "ON"]) {
      assert.match(problemsOf({ ASSISTED: text }).join(), /ASSISTED: .* Write on or off\./, text);
    }
  });

  it("gives a configuration or a ConfigError for any text in any setting", () => {
    const name = fc.constantFrom(
      "HOST",
      "PORT",
      "PUBLIC_URL",
      "TRUST_PROXY",
      "REDIS_URL",
      "TTL_CHOICES",
      "MAX_TTL",
      "MAX_SECRET_BYTES",
      "RATE_LIMIT_OPEN",
      "LOG_LEVEL",
      "TLS",
      "REDIS_CA_FILE",
      "TLS_KEY_FILE",
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          fc.oneof(
            fc.string(),
            fc.constantFrom("toString", "__proto__"),
            fc.webUrl(),
            fc.ipV6(),
            fc.nat().map(String),
          ),
        ),
        (environment) => {
          problemsOf(environment);
        },
      ),
    );
  });
});
