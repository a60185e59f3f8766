import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseConfig } from "./parse-config.ts";
import { files, pem, problemsOf } from "./problems-of.ts";
import { parseMailbox, parseMailDomains, parseSmtpUrl } from "./smtp.ts";
import { ValueError } from "./value-error.ts";

const nobody = { username: undefined, password: undefined };

describe("parseSmtpUrl", () => {
  it("reads who encrypts from the scheme, with the port that belongs to it", () => {
    assert.deepEqual(parseSmtpUrl("smtp://mail.example"), {
      ...{ security: "starttls", host: "mail.example", port: 587 },
      ...nobody,
    });
    assert.deepEqual(parseSmtpUrl("smtps://mail.example/"), {
      ...{ security: "tls", host: "mail.example", port: 465 },
      ...nobody,
    });
    assert.deepEqual(parseSmtpUrl("smtp+insecure://[::1]:2525"), {
      ...{ security: "none", host: "::1", port: 2525 },
      ...nobody,
    });
  });

  it("reads user and password, percent-encoded", () => {
    const { username, password } = parseSmtpUrl("smtps://me%40example.com:a%3Ab%2F%25:c@mail.example:465");
    assert.deepEqual([username, password], ["me@example.com", "a:b/%:c"]);
  });

  it("refuses everything else", () => {
    for (const text of [
      "",
      "mail.example",
      "mail.example:587",
      "SMTP://mail.example",
      "http://mail.example",
      "smtp+insecure:mail.example",
      "smtp://",
      "smtp://a,b",
      "smtp://h:0",
      "smtp://h:65536",
      "smtp://h/path",
      "smtp://h?starttls=off",
      "smtp://h#x",
      "smtp://user@h",
      "smtp://:pw@h",
      "smtp://user:@h",
      "smtp://u:p%@h",
      "smtp://u:p@w@h",
      "__proto__://h",
    ])
      assert.throws(() => parseSmtpUrl(text), ValueError, text);
  });

  it("never repeats any part of the password in what it says", () => {
    const password = fc.stringMatching(/^[QXZ0-9]{6,20}$/).map((text) => `Q${text}`);
    const broken = fc.constantFrom(
      (p: string) => `smtp://:${p}@h`,
      (p: string) => `smtp://${p}@h`,
      (p: string) => `smtp://u:${p}%@h`,
      (p: string) => `smtp://u:${p}/x@h`,
      (p: string) => `smtp://u:${p}@h:99999`,
      (p: string) => `mail://u:${p}@h`,
      (p: string) => ` ${p}`,
    );
    fc.assert(
      fc.property(password, broken, (secret, make) => {
        assert.throws(
          () => parseSmtpUrl(make(secret)),
          (error) => error instanceof ValueError && !error.message.includes(secret),
        );
      }),
    );
  });
});

describe("parseMailbox", () => {
  it("takes one plain address and puts its domain into lower case", () => {
    for (const [text, mailbox] of [
      ["a@example.com", "a@example.com"],
      ["First.Last+tag@Example.COM", "First.Last+tag@example.com"],
      ["o'neill_2@intranet", "o'neill_2@intranet"],
      ["x@xn--bcher-kva.example", "x@xn--bcher-kva.example"],
    ] as const)
      assert.equal(parseMailbox(text), mailbox);
  });

  it("refuses lists, names, comments, quoting, relaying, header breaks and what is not ASCII", () => {
    for (const text of [
      "",
      "@",
      "a@",
      "@example.com",
      "a",
      "a@b@example.com",
      "a@example.com,b@example.com",
      "a@example.com;b@example.com",
      "a@example.com b@example.com",
      "A <a@example.com>",
      "<a@example.com>",
      "a@example.com (boss)",
      '"a b"@example.com',
      '"a@evil.example"@example.com',
      "a@[10.0.0.1]",
      "a%evil.example@example.com",
      "evil.example!a@example.com",
      "@evil.example:a@example.com",
      "a@example.com\r\nBcc: b@evil.example",
      "a@example.com\n",
      "a\u0000@example.com",
      " a@example.com",
      ".a@example.com",
      "a.@example.com",
      "a..b@example.com",
      "-oQ@example.com",
      "a@-example.com",
      "a@example.com.",
      "a@example..com",
      "ä@example.com",
      "a@bücher.example",
      "a＠example.com",
      `${"a".repeat(65)}@example.com`,
      `a@${"b.".repeat(130)}c`,
    ])
      assert.equal(parseMailbox(text), undefined, JSON.stringify(text));
  });

  it("lets nothing through that could mean two addresses", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ maxLength: 60 }), (a, b) => {
        for (const text of [a, b, `${a}@example.com`, `${b}@example.com`, `a@${b}`, `a${b}@example.com`]) {
          const mailbox = parseMailbox(text);
          if (mailbox !== undefined) assert.match(mailbox, /^[!-~]+@[a-z0-9.-]+$/);
          if (mailbox !== undefined) assert.doesNotMatch(mailbox, /[\s<>()[\],;:\\"%!]|@.*@/);
        }
      }),
    );
  });
});

describe("SMTP settings", () => {
  const env = {
    SMTP_URL: "smtp://u:p@mail.example",
    SMTP_FROM: "Waxseal@example.com",
    SMTP_ALLOW_DOMAINS: "Example.com, @sub.example.org",
  };

  it("make up one set-up", () => {
    assert.deepEqual(parseConfig(env, files()).mail, {
      server: { security: "starttls", host: "mail.example", port: 587, username: "u", password: "p" },
      from: "Waxseal@example.com",
      domains: ["example.com", "sub.example.org"],
      ca: undefined,
    });
    assert.equal(parseConfig({ ...env, SMTP_ALLOW_DOMAINS: "*" }, files()).mail?.domains, "any");
  });

  it("belong together", () => {
    assert.match(problemsOf({ ...env, SMTP_FROM: "" }).join(), /^SMTP_FROM: is missing/);
    assert.match(problemsOf({ ...env, SMTP_ALLOW_DOMAINS: "" }).join(), /^SMTP_ALLOW_DOMAINS: is missing/);
    assert.match(problemsOf({ SMTP_FROM: "a@b.example" }).join(), /^SMTP_FROM: goes with SMTP_URL/);
    assert.match(problemsOf({ SMTP_ALLOW_DOMAINS: "*" }).join(), /^SMTP_ALLOW_DOMAINS: goes with SMTP_URL/);
    const ca = { ...env, SMTP_CA_FILE: "/ca" };
    assert.deepEqual(problemsOf(ca, files({ "/ca": pem })), []);
    assert.match(
      problemsOf({ ...ca, SMTP_URL: "smtp+insecure://h" }, files({ "/ca": pem })).join(),
      /^SMTP_CA_FILE: has no use/,
    );
  });

  it("refuse a sender with a name, and domains that are none", () => {
    assert.match(
      problemsOf({ ...env, SMTP_FROM: "W <w@example.com>" }).join(),
      /SMTP_FROM: is not one plain/,
    );
    for (const text of ["example.com,", "*,example.com", "*.example.com", "a b", "a@b"])
      assert.throws(() => parseMailDomains(text), ValueError, text);
  });
});
