import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { coversHost } from "./certificate-words.ts";
import { makeSelfSigned } from "./self-signed.ts";

const DAY = 86_400_000;

function openssl(args: readonly string[], input: string): string {
  try {
    return execFileSync("openssl", args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  } catch (cause) {
    throw new Error("openssl refuses the certificate, or is missing: apt-get install openssl", { cause });
  }
}

describe("A certificate made at start", () => {
  it("reads in OpenSSL as what was meant", () => {
    const text = openssl(["x509", "-noout", "-text"], makeSelfSigned("secrets.lan", Date.now()).cert);
    for (const line of [
      /Version: 3 \(0x2\)/,
      /Signature Algorithm: ecdsa-with-SHA256/,
      /Issuer: CN = secrets\.lan\n/,
      /Subject: CN = secrets\.lan\n/,
      /ASN1 OID: prime256v1/,
      /Basic Constraints: critical\s+CA:FALSE/,
      /Key Usage: critical\s+Digital Signature\n/,
      /Extended Key Usage: \s+TLS Web Server Authentication\n/,
      /DNS:secrets\.lan, DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1\n/,
    ]) {
      assert.match(text, line);
    }
  });

  it("verifies by itself in OpenSSL under its strictest rules, for its names and no others", () => {
    const { cert } = makeSelfSigned("secrets.lan", Date.now());
    const leaf = new X509Certificate(cert);
    assert(leaf.verify(createPublicKey(leaf.publicKey.export({ type: "spki", format: "pem" }))));
    for (const host of ["secrets.lan", "localhost", "127.0.0.1", "::1"]) assert(coversHost(leaf, host), host);
    for (const host of ["lan", "a.secrets.lan", "127.0.0.2"]) assert(!coversHost(leaf, host), host);
    const dir = mkdtempSync(join(tmpdir(), "waxseal-certificate-"));
    const file = join(dir, "c.pem");
    writeFileSync(file, cert);
    const verify = ["verify", "-x509_strict", "-partial_chain", "-purpose", "sslserver", "-trusted", file];
    assert.match(openssl([...verify, file], ""), /OK/);
    rmSync(dir, { recursive: true });
  });

  it("is for addresses of both kinds, and for names that are too long to stand in its subject", () => {
    const long = `${"a".repeat(60)}.${"b".repeat(60)}.lan`;
    for (const host of ["192.0.2.7", "2001:db8::5:1", "::ffff:192.0.2.9", "fe80::", long]) {
      assert(coversHost(makeSelfSigned(host, Date.now()).leaf, host), host);
    }
  });

  it("is valid from yesterday, for less than the 398 days that browsers allow", () => {
    const now = Date.now();
    const leaf = makeSelfSigned("localhost", now).leaf;
    const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
    assert(from < now && to > now + 300 * DAY && to - from < 398 * DAY);
  });

  it("says its end in the form that the year calls for", () => {
    const at = (text: string) => makeSelfSigned("localhost", Date.parse(text)).leaf.validTo;
    assert.match(at("2048-01-01T00:00:00Z"), /2049 GMT$/);
    assert.match(at("2050-01-01T00:00:00Z"), /2051 GMT$/);
  });

  it("has another key and another number each time", () => {
    const made = Array.from({ length: 20 }, () => makeSelfSigned("localhost", Date.now()));
    assert.equal(new Set(made.map(({ key }) => key)).size, 20);
    assert.equal(new Set(made.map(({ leaf }) => leaf.serialNumber)).size, 20);
  });
});
