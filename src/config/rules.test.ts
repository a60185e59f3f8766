import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "./parse-config.ts";
import { files, pem, problemsOf } from "./problems-of.ts";

describe("ports and addresses", () => {
  it("puts the port into the default public address, and https with TLS", () => {
    assert.equal(parseConfig({ PORT: "9000" }, files()).publicUrl.href, "http://localhost:9000/");
    assert.equal(
      parseConfig({ PORT: "9000", TLS: "self-signed" }, files()).publicUrl.href,
      "https://localhost:9000/",
    );
  });

  it("takes the mount path from the public address", () => {
    const { publicUrl, basePath } = parseConfig({ PUBLIC_URL: "https://h.example/tools/waxseal/" }, files());
    assert.equal(basePath, "/tools/waxseal");
    assert.equal(publicUrl.href, "https://h.example/tools/waxseal");
  });

  it("takes IP addresses and names to listen on, but no scheme or port", () => {
    for (const text of ["0.0.0.0", "::", "localhost", "waxseal.internal"])
      assert.deepEqual(problemsOf({ HOST: text }), []);
    for (const text of ["http://localhost", "localhost:8080", "a b", "-x"])
      assert.equal(problemsOf({ HOST: text }).length, 1, text);
  });

  it("refuses ports outside 1 to 65535", () => {
    for (const text of ["0", "65536", "-1", "80a"]) assert.equal(problemsOf({ PORT: text }).length, 1, text);
  });

  it("explains a port that Kubernetes set for a service of that name", () => {
    assert.match(problemsOf({ METRICS_PORT: "tcp://10.0.0.1:9090" }).join(), /enableServiceLinks: false/);
  });

  it("refuses two listeners on one port", () => {
    assert.match(problemsOf({ METRICS_PORT: "8080" }).join(), /METRICS_PORT: is the same as PORT \(8080\)/);
    const clash = { TLS: "self-signed", REDIRECT_PORT: "8080", METRICS_PORT: "8080" };
    assert.equal(problemsOf(clash).length, 3);
  });
});

describe("times and sizes", () => {
  it("refuses choices above MAX_TTL and names them", () => {
    const [problem] = problemsOf({ MAX_TTL: "24h" });
    assert.match(problem ?? "", /TTL_CHOICES: longer than MAX_TTL \(24h\): 48h, 72h\./);
  });

  it("refuses a default that is not among the choices", () => {
    assert.match(problemsOf({ DEFAULT_TTL: "2h" }).join(), /DEFAULT_TTL: 2h is not one of TTL_CHOICES/);
  });

  it("refuses times under a minute and over 30 days", () => {
    assert.match(
      problemsOf({ TTL_CHOICES: "24h,59s" }).join(),
      /TTL_CHOICES: 59s is out of range\. Write 1m to 30d/,
    );
    assert.match(problemsOf({ MAX_TTL: "31d" }).join(), /MAX_TTL: 31d is out of range\. Write 1m to 30d/);
    assert.equal(problemsOf({ MAX_TTL: "0" }).length, 1);
  });

  it("takes a redelivery window of 0 as none", () => {
    assert.equal(parseConfig({ REDELIVERY_WINDOW: "0" }, files()).redeliveryWindow, 0);
  });

  it("refuses a store too small for one secret, with Redis and without", () => {
    const small = { STORE_BUDGET: "1MiB" };
    assert.match(problemsOf(small).join(), /STORE_BUDGET: .* at least 50MiB/);
    assert.match(problemsOf({ ...small, REDIS_URL: "redis://h" }).join(), /STORE_BUDGET: .* at least 50MiB/);
  });

  it("takes one budget for whichever store there is: of Redis a share too, of the process a size", () => {
    const redis = { REDIS_URL: "redis://h" };
    assert.deepEqual(parseConfig(redis, files()).storeBudget, { kind: "share", share: 0.8 });
    const share = parseConfig({ ...redis, STORE_BUDGET: "55%" }, files());
    assert.deepEqual(share.storeBudget, { kind: "share", share: 0.55 });
    const size = parseConfig({ ...redis, STORE_BUDGET: "512MiB" }, files());
    assert.deepEqual(size.storeBudget, { kind: "size", bytes: 512 * 2 ** 20 });
    assert.equal(parseConfig({ STORE_BUDGET: "512MiB" }, files()).embeddedMaxBytes, 512 * 2 ** 20);
    assert.match(problemsOf({ STORE_BUDGET: "80%" }).join(), /STORE_BUDGET: .*Write a size such as 256MiB/);
  });

  it("refuses a budget that leaves Redis nothing, or is none", () => {
    const problemOf = (budget: string) =>
      problemsOf({ REDIS_URL: "redis://h", STORE_BUDGET: budget }).join("\n");
    for (const budget of ["0%", "96%", "100%"]) {
      assert.match(problemOf(budget), /STORE_BUDGET: .*out of range\. Write 1% to 95%/, budget);
    }
    for (const budget of ["8.5%", "-1%", "%", "08%", "8e1%"]) {
      assert.match(problemOf(budget), /STORE_BUDGET: .*is not a percentage\. Write one such as 80%/, budget);
    }
    assert.match(problemOf("512"), /STORE_BUDGET: 512 has no unit/);
  });
});

describe("Redis", () => {
  it("keeps the address as its parts", () => {
    const { redis } = parseConfig({ REDIS_URL: "redis+sentinel://a,b/m" }, files());
    assert.equal(redis?.kind === "sentinel" && redis.masterName, "m");
  });

  it("reads the contents of the certificate files", () => {
    const config = parseConfig(
      { REDIS_URL: "rediss://h", REDIS_CA_FILE: "/ca", REDIS_CERT_FILE: "/cert", REDIS_KEY_FILE: "/key" },
      files({ "/ca": pem, "/cert": pem, "/key": pem }),
    );
    assert.equal(config.redisTls.ca, pem.trimEnd());
    assert.equal(config.redisTls.key, pem.trimEnd());
  });

  it("refuses half a client certificate, and certificates without TLS", () => {
    const readFile = files({ "/c": pem });
    assert.match(
      problemsOf({ REDIS_URL: "rediss://h", REDIS_CERT_FILE: "/c" }, readFile).join(),
      /^REDIS_KEY_FILE: is missing/,
    );
    assert.match(
      problemsOf({ REDIS_URL: "redis://h", REDIS_CA_FILE: "/c" }, readFile).join(),
      /Write rediss:\/\//,
    );
    assert.match(problemsOf({ REDIS_CA_FILE: "/c" }, readFile).join(), /Write rediss:\/\//);
    assert.match(
      problemsOf({ REDIS_URL: "redis://h", REDIS_SERVER_NAME: "h.example" }).join(),
      /^REDIS_SERVER_NAME: .*Write rediss:\/\//,
    );
  });

  it("refuses a keyring or replicas without a Redis, and a keyring that is the same Redis", () => {
    assert.match(problemsOf({ KEYRING_REDIS_URL: "redis://h" }).join(), /Set REDIS_URL/);
    assert.match(problemsOf({ REDIS_WAIT_REPLICAS: "1" }).join(), /Set REDIS_URL/);
    assert.match(problemsOf({ REDIS_KEY_PREFIX: "a:" }).join(), /Set REDIS_URL/);
    assert.match(
      problemsOf({ REDIS_URL: "redis://h", KEYRING_REDIS_WAIT_REPLICAS: "1" }).join(),
      /^KEYRING_REDIS_WAIT_REPLICAS: .*Set KEYRING_REDIS_URL/,
    );
    for (const [first, second] of [
      ["redis://h", "redis://h:6379/0"],
      ["redis://app:one@h", "redis://keys:two@h"],
      ["redis://h", "rediss://h"],
      ["redis+sentinel://a,b/m", "redis+sentinel://b,a/m?sentinel_password=p"],
      ["redis+cluster://:p@a,b", "redis+cluster://b,a"],
      ["unix:/run/r.sock", "unix:///run/r.sock"],
    ] as const) {
      const problems = problemsOf({ REDIS_URL: first, KEYRING_REDIS_URL: second });
      assert.match(problems.join(), /^KEYRING_REDIS_URL: is the same/, `${first} ${second}`);
    }
    for (const [first, second] of [
      ["redis://h", "redis://h/1"],
      ["redis://h", "redis://h:6380"],
      ["redis+sentinel://a/m", "redis+sentinel://a/n"],
      ["unix:/run/r.sock", "unix:/run/s.sock"],
      ["redis://h", "redis+cluster://h"],
    ] as const) {
      assert.deepEqual(problemsOf({ REDIS_URL: first, KEYRING_REDIS_URL: second }), [], `${first} ${second}`);
    }
    const both = { REDIS_URL: "redis://h", KEYRING_REDIS_URL: "redis://k", KEYRING_REDIS_WAIT_REPLICAS: "2" };
    assert.equal(parseConfig(both, files()).keyringRedisWaitReplicas, 2);
  });

  it("does not blame the keyring for a REDIS_URL that is wrong itself", () => {
    assert.deepEqual(
      problemsOf({ REDIS_URL: "nonsense", KEYRING_REDIS_URL: "redis://h" }).map(
        (problem) => problem.split(":")[0],
      ),
      ["REDIS_URL"],
    );
  });
});

describe("TLS", () => {
  const readFile = files({ "/c": pem, "/k": pem, "/text": "hello" });

  it("keeps the paths of the certificate and the key", () => {
    const config = parseConfig({ TLS_CERT_FILE: "/c", TLS_KEY_FILE: "/k" }, readFile);
    assert.deepEqual(config.tls, { kind: "files", certFile: "/c", keyFile: "/k" });
    assert.equal(config.publicUrl.protocol, "https:");
  });

  it("refuses one without the other, both with self-signed, and files that are no PEM", () => {
    assert.match(
      problemsOf({ TLS_CERT_FILE: "/c" }, readFile).join(),
      /^TLS_KEY_FILE: is missing, but TLS_CERT_FILE is set/,
    );
    assert.match(
      problemsOf({ TLS_CERT_FILE: "/c", TLS_KEY_FILE: "/k", TLS: "self-signed" }, readFile).join(),
      /exclude each other/,
    );
    assert.match(
      problemsOf({ TLS_CERT_FILE: "/c", TLS_KEY_FILE: "/text" }, readFile).join(),
      /TLS_KEY_FILE: is not a PEM/,
    );
  });

  it("refuses a plain http public address", () => {
    assert.match(
      problemsOf({ TLS: "self-signed", PUBLIC_URL: "http://h" }).join(),
      /PUBLIC_URL: .* Write https/,
    );
  });

  it("redirects only to https", () => {
    assert.match(problemsOf({ REDIRECT_PORT: "8081" }).join(), /REDIRECT_PORT: .*Set PUBLIC_URL/);
    assert.equal(
      parseConfig({ REDIRECT_PORT: "8081", PUBLIC_URL: "https://h" }, readFile).redirectPort,
      8081,
    );
    assert.equal(parseConfig({ REDIRECT_PORT: "8081", TLS: "self-signed" }, readFile).redirectPort, 8081);
  });
});

describe("who may open and create", () => {
  it("refuses a time for a network above MAX_TTL, or below everything that the page offers", () => {
    assert.deepEqual(problemsOf({ MAX_TTL_BY_NETWORK: "10.0.0.0/8=72h,0.0.0.0/0=1h" }), []);
    assert.match(
      problemsOf({ MAX_TTL_BY_NETWORK: "10.0.0.0/8=4d" }).join(),
      /10\.0\.0\.0\/8=96h is longer than MAX_TTL \(72h\)/,
    );
    assert.match(
      problemsOf({ MAX_TTL_BY_NETWORK: "10.0.0.0/8=30m" }).join(),
      /10\.0\.0\.0\/8=30m is shorter than every one of TTL_CHOICES/,
    );
  });

  it("wants to know the proxy in front before lists of networks depend on it", () => {
    const https = { PUBLIC_URL: "https://h.example" };
    for (const list of [
      { CREATE_ALLOW_CIDRS: "10.0.0.0/8" },
      { OPEN_ALLOW_CIDRS: "10.0.0.0/8" },
      { MAX_TTL_BY_NETWORK: "10.0.0.0/8=1h" },
    ]) {
      const [name = ""] = Object.keys(list);
      const [problem = "", ...more] = problemsOf({ ...https, ...list });
      assert.match(problem, /^TRUST_PROXY: is missing/);
      assert(problem.includes(name));
      assert.deepEqual(more, []);
      for (const env of [
        { TRUST_PROXY: "1" },
        { TRUST_PROXY: "0" },
        { TLS: "self-signed" },
        { PUBLIC_URL: "" },
      ]) {
        assert.deepEqual(problemsOf({ ...https, ...list, ...env }), []);
      }
    }
    assert.deepEqual(problemsOf(https), []);
  });

  it("wants a shared Redis for an instance that serves only half, and a place for links that open elsewhere", () => {
    const redis = { REDIS_URL: "redis://localhost" };
    assert.match(problemsOf({ ROLE: "open" }).join(), /ROLE: open needs a Redis/);
    assert.match(problemsOf({ ROLE: "create", ...redis }).join(), /LINK_URL: is missing/);
    assert.deepEqual(problemsOf({ ROLE: "open", ...redis }), []);
    assert.deepEqual(problemsOf({ ROLE: "create", LINK_URL: "https://open.example", ...redis }), []);
    assert.equal(problemsOf({ ROLE: "read" }).length, 1);
  });

  it("sends links to LINK_URL, and to PUBLIC_URL without it", () => {
    const env = { PUBLIC_URL: "https://h.example" };
    assert.equal(parseConfig(env, files()).linkUrl.href, "https://h.example/");
    const apart = parseConfig({ ...env, LINK_URL: "https://open.example/x/" }, files());
    assert.equal(apart.linkUrl.href, "https://open.example/x");
    assert.equal(apart.publicUrl.href, "https://h.example/");
  });
});
