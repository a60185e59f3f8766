import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { CertificateError, parseCertificatePair } from "./certificate-pair.ts";
import { describeHost, describeTime } from "./certificate-words.ts";
import { makeSelfSigned } from "./self-signed.ts";

const NOW = Date.parse("2030-06-01T12:00:00Z");
const DAY = 86_400_000;
const one = makeSelfSigned("secrets.lan", NOW);
const other = makeSelfSigned("secrets.lan", NOW);
const encrypted = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: "rosebud",
});

describe("Certificate and key", () => {
  it("are taken where they belong together, whatever follows the first certificate", () => {
    const { leaf } = parseCertificatePair(`${one.cert}${other.cert}`, one.key);
    assert.equal(leaf.fingerprint256, one.leaf.fingerprint256);
  });

  for (const [what, cert, key, message] of [
    ["belong to others", one.cert, other.key, /do not belong together.*issued together/],
    ["stand in the wrong order", `${other.cert}${one.cert}`, one.key, /server's own certificate first/],
    ["are swapped", one.key, one.cert, /^TLS_KEY_FILE: holds no private key/],
    ["are cut", one.cert.slice(0, 200), one.key, /^TLS_CERT_FILE: holds no certificate/],
    ["want a password", one.cert, encrypted.toString(), /^TLS_KEY_FILE: the key is encrypted.*openssl pkey/],
  ] as const) {
    it(`are refused with the fix, and without the key, where they ${what}`, () => {
      assert.throws(
        () => parseCertificatePair(cert, key),
        (error: unknown) => {
          assert(error instanceof CertificateError);
          assert.match(error.message, message);
          assert(!error.message.includes(one.key.slice(40, 60)));
          return true;
        },
      );
    });
  }
});

describe("What there is to say of a certificate", () => {
  const at = (days: number) => describeTime(one.leaf, NOW + days * DAY);
  it("is nothing while it has more than 14 days", () => {
    assert.equal(at(0), undefined);
    assert.equal(at(396 - 15), undefined);
  });
  it("is how many days it has, from 14 on", () => {
    assert.match(at(396 - 14) ?? "", /runs out in 14 days, on 2031-07-02\. Renew it/);
    assert.match(at(396 - 1) ?? "", /runs out in 1 day,/);
    assert.match(at(395.5) ?? "", /runs out within a day,/);
  });
  it("is that it ran out, or has not begun", () => {
    assert.match(at(396.5) ?? "", /ran out on 2031-07-02, so browsers refuse it\. Renew it\./);
    assert.match(at(-2) ?? "", /valid only from 2030-05-31/);
  });
  it("is which name it lacks", () => {
    assert.equal(describeHost(one.leaf, new URL("https://secrets.lan/w")), undefined);
    assert.equal(describeHost(one.leaf, new URL("https://[::1]:8443")), undefined);
    assert.match(
      describeHost(one.leaf, new URL("https://secrets.example.com")) ?? "",
      /not for secrets\.example\.com.*DNS:secrets\.lan.*correct PUBLIC_URL/,
    );
  });
});
