import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeCertificates } from "../testing/certificates.ts";
import type { MeddlingOptions, Passing } from "../testing/meddling-proxy.ts";
import { startServer } from "../testing/server-process.ts";
import { makeSelfSigned } from "../tls/self-signed.ts";
import { startBehindProxy, visit } from "./testing.ts";

const DAY = 86_400_000;
const dir = mkdtempSync(join(tmpdir(), "waxseal-doctor-"));
const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(dir, { recursive: true });
});

async function behind(options: Omit<MeddlingOptions, "target">, more: Readonly<Record<string, string>> = {}) {
  const site = await startBehindProxy(options, more);
  cleanUps.push(site.close);
  return visit(site.env);
}

/** What the doctor says of the service whose answers are changed so. */
const meddled = (meddle: (passing: Passing) => void, env = {}) =>
  behind({ meddle }, { TRUST_PROXY: "1", ...env });

async function withCertificate(
  pair: { cert: string; key: string },
  more: Readonly<Record<string, string>> = {},
) {
  const files = { TLS_CERT_FILE: join(dir, "tls.crt"), TLS_KEY_FILE: join(dir, "tls.key") };
  writeFileSync(files.TLS_CERT_FILE, pair.cert);
  writeFileSync(files.TLS_KEY_FILE, pair.key);
  const server = await startServer({ ...files, ...more });
  cleanUps.push(() => server.stop());
  return { server, env: { ...files, ...more, PORT: String(server.port) } };
}

describe("The doctor, at the address", () => {
  it("knows where browsers switch encryption off", async () => {
    const { says } = await visit({ PUBLIC_URL: "http://secrets.invalid" });
    says("problem", "secure context", /browsers turn off encryption on plain http.*https proxy/);
  });

  it("knows a name that leads nowhere", async () => {
    const { says } = await visit({ PUBLIC_URL: "https://secrets.invalid" });
    says("problem", "DNS", /secrets\.invalid leads to no address.*Add it to DNS/);
    says("skipped", "not checked", /certificate, page.*round trip/);
  });
});

describe("The doctor, at the certificate", () => {
  it("is content with one from an authority, and counts its days", async () => {
    const { cert, key } = makeCertificates(dir);
    const { env } = await withCertificate({ cert, key });
    const { code, says } = await visit(env);
    // The test's own authority is none that this machine knows.
    says("warning", "certificate", /can't be traced to an authority.*NODE_EXTRA_CA_CERTS/);
    assert.equal(code, 0);
  });

  it("refuses one that ran out, is self-signed, or is for another name", async () => {
    const { env } = await withCertificate(makeSelfSigned("localhost", Date.now() - 500 * DAY));
    const old = await visit(env);
    old.says("problem", "certificate", /ran out on .*Renew it/);
    old.says("problem", "certificate", /is self-signed.*Use a certificate that browsers know/);
    const elsewhere = await visit(
      { PUBLIC_URL: "https://secrets.lan" },
      "--url",
      `https://127.0.0.1:${env.PORT}`,
    );
    elsewhere.says("problem", "certificate", /not for secrets\.lan.*correct PUBLIC_URL/);
    elsewhere.says(
      "problem",
      "page",
      /makes links to https:\/\/localhost:\d+, .* says https:\/\/secrets\.lan/,
    );
  });

  it("warns of one that runs out soon, and of one made at start", async () => {
    const soon = await withCertificate(makeSelfSigned("localhost", Date.now() - 390 * DAY));
    (await visit(soon.env)).says("warning", "certificate", /runs out in 5 days/);
    const env = { TLS: "self-signed" };
    const server = await startServer(env);
    cleanUps.push(() => server.stop());
    const { code, says } = await visit({ ...env, PORT: String(server.port) });
    says("warning", "certificate", /self-signed.*SHA-256 is ([0-9A-F]{2}:){31}/);
    says("ok", "round trip", /opened once/);
    assert.equal(code, 0);
  });
});

describe("The doctor, behind a proxy", () => {
  it("finds nothing wrong where the proxy does what it should", async () => {
    const { worries } = await meddled(() => {});
    assert.deepEqual(worries, []);
  });

  it("knows a proxy that reaches nobody, another site, and one that sends visitors on", async () => {
    const change = (status: number, headers = {}) =>
      meddled((passing) => Object.assign(passing, { status, headers, body: Buffer.from("<html>") }));
    (await change(502)).says("problem", "page", /answers 502: .*does not reach Waxseal/);
    (await change(200)).says("problem", "page", /not with Waxseal's page/);
    (await change(301, { location: "https://elsewhere.lan/" })).says(
      "problem",
      "page",
      /sends visitors on to https:/,
    );
  });

  it("misses each header that is taken away or watered down", async () => {
    for (const [name, value] of [
      ["content-security-policy", "default-src 'none'"],
      ["content-security-policy", undefined],
      ["cross-origin-opener-policy", undefined],
      ["referrer-policy", "unsafe-url"],
      ["cache-control", "public"],
    ] as const) {
      const { says } = await meddled(({ headers }) => {
        if (value === undefined) delete headers[name];
        else headers[name] = value;
      });
      says("problem", "security headers", new RegExp(`${name} went missing or changed`));
    }
  });

  it("sees scripts that were changed or put in on the way", async () => {
    const minified = await meddled((passing) => {
      if (passing.path.endsWith(".js")) passing.body = Buffer.concat([passing.body, Buffer.from("\n")]);
    });
    minified.says("problem", "scripts and styles", /refuse \/assets\/create-\w+\.js: changed on the way/);
    const injected = await meddled((passing) => {
      const html = passing.body.toString().replace("</head>", '<script src="/rum.js"></script></head>');
      if (passing.path === "/") passing.body = Buffer.from(html);
    });
    injected.says("problem", "scripts and styles", /did not put there/);
  });

  it("compares clocks", async () => {
    const skewed = (seconds: number) =>
      meddled(({ headers }) => {
        headers.date = new Date(Date.now() + seconds * 1000).toUTCString();
      });
    // Half of what the answer is on its way, a few seconds where the machine is busy, is not known.
    (await skewed(-600)).says("problem", "clock", /(59\d|60\d) seconds behind.*NTP/);
    (await skewed(30)).says("warning", "clock", /(2[5-9]|3[0-5]) seconds ahead/);
  });

  it("says what the server answered where a secret does not come back", async () => {
    const { says } = await meddled((passing) => {
      if (passing.path.endsWith("/open"))
        Object.assign(passing, { status: 403, body: Buffer.from("blocked") });
    });
    says("problem", "round trip", /open answered 403/);
    const changed = await meddled((passing) => {
      if (passing.path.endsWith("/blob")) passing.body.writeUInt8(passing.body.readUInt8(100) ^ 1, 100);
    });
    changed.says("problem", "round trip", /did not come back: UnreadableError/);
  });

  it("takes a rate limit for what it is", async () => {
    const { says } = await meddled(
      (passing) => {
        if (passing.path.endsWith("/secrets")) passing.status = 429;
      },
      { RATE_LIMIT_CREATE: "1/10m" },
    );
    says("warning", "round trip", /used its rate limit up/);
  });
});

describe("The doctor, at the trust in proxies", () => {
  it("finds trust in a proxy that is not there, or in one too many", async () => {
    const server = await startServer({ TRUST_PROXY: "1" });
    cleanUps.push(() => server.stop());
    const believing = /believes what visitors write into X-Forwarded-For.*exact number of proxies/;
    (await visit({ PORT: String(server.port), TRUST_PROXY: "1" })).says("problem", "proxy trust", believing);
    (await behind({}, { TRUST_PROXY: "2" })).says("problem", "proxy trust", believing);
    (await behind({}, { TRUST_PROXY: "1" })).says("ok", "proxy trust", /not believed.* 127\.0\.0\.1/);
  });

  it("does not judge from a machine that is itself trusted, where the proxy adds to the header", async () => {
    const { code, says } = await behind({}, { TRUST_PROXY: "loopback" });
    says("skipped", "proxy trust", /names this machine \(127\.0\.0\.1\)/);
    assert.equal(code, 0);
  });

  it("finds a proxy that the server does not know, or that does not say https", async () => {
    const tls = makeSelfSigned("localhost", Date.now());
    (await behind({ tls })).says(
      "problem",
      "proxy trust",
      /all visitors share one rate limit.*Set TRUST_PROXY/,
    );
    const silent = await behind({ tls }, { TRUST_PROXY: "1" });
    silent.says("problem", "proxy trust", /does not know that requests come by https.*X-Forwarded-Proto/);
    const right = await behind(
      {
        tls,
        forward: (headers, client) => ({
          ...headers,
          "x-forwarded-for": client,
          "x-forwarded-proto": "https",
        }),
      },
      { TRUST_PROXY: "1" },
    );
    right.says("ok", "proxy trust", /not believed/);
  });

  it("says that it can't tell where the proxy hides what the server says of limits", async () => {
    const { says } = await meddled(({ headers }) => delete headers["ratelimit-policy"]);
    says("warning", "proxy trust", /RateLimit-Policy does not arrive/);
  });
});
