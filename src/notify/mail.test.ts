import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { SMTPServerOptions } from "smtp-server";
import type { MailConfig } from "../config/config.ts";
import type { SmtpAddress, SmtpSecurity } from "../config/smtp.ts";
import { type Certificates, makeCertificates } from "../testing/certificates.ts";
import { freePort } from "../testing/free-port.ts";
import { type MailServer, readMail, reply, startMailServer } from "../testing/mail-server.ts";
import { until } from "../testing/until.ts";
import { DeliveryError } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";
import { createMailChannel } from "./mail.ts";
import { mailText } from "./mail-text.ts";
import { isAllowedRecipient } from "./recipient.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

let tls: Certificates;
before(() => {
  const dir = mkdtempSync(join(tmpdir(), "waxseal-mail-"));
  cleanUps.push(() => rmSync(dir, { recursive: true }));
  tls = makeCertificates(dir);
});

const event: NotifyEvent = {
  kind: "opened",
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  secret: "0123456789abcdef",
  label: "Database",
  email: "ann@example.com",
  address: "203.0.113.9",
};
const never = new AbortController().signal;

async function mailServer(options?: SMTPServerOptions): Promise<MailServer> {
  const server = await startMailServer(options);
  cleanUps.push(() => server.close());
  return server;
}

/** One that speaks plainly only, as old relays do. */
const plainServer = (options: SMTPServerOptions = {}) =>
  mailServer({ disabledCommands: ["STARTTLS", "AUTH"], ...options });
const secure = () => ({ key: tls.key, cert: tls.cert });

interface More {
  readonly security?: SmtpSecurity;
  readonly login?: Pick<SmtpAddress, "username" | "password">;
  readonly addresses?: boolean;
  readonly mail?: Partial<MailConfig>;
}

function channel(port: number, { security = "none", login, addresses = false, mail }: More = {}) {
  const nobody = { username: undefined, password: undefined };
  return createMailChannel({
    mail: {
      server: { security, host: "127.0.0.1", port, ...nobody, ...login },
      from: "waxseal@example.com",
      domains: ["example.com"],
      ca: security === "none" ? undefined : tls.ca,
      ...mail,
    },
    helo: "secrets.example.com",
    addresses,
  });
}

async function failureOf(promise: Promise<void>): Promise<DeliveryError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DeliveryError, `${error}`);
  // It is kept and logged.
  assert.doesNotMatch(error.message, /ann|example|Database|127\.0|0123456789abcdef/);
  return error;
}

const deliver = (port: number, more?: More, of: Partial<NotifyEvent> = {}) =>
  channel(port, more).deliver({ ...event, ...of }, "msg_1", 1, never);

describe("A mail to the sender", () => {
  it("says what happened to which label and when, as plain text from a machine", async () => {
    const { port, mails } = await plainServer();
    await deliver(port);
    const [mail] = mails;
    assert.ok(mail);
    assert.deepEqual([mail.from, mail.to], ["waxseal@example.com", ["ann@example.com"]]);
    const { fields, text } = readMail(mail.raw);
    assert.equal(fields.get("from"), "Waxseal <waxseal@example.com>");
    assert.equal(fields.get("to"), "ann@example.com");
    assert.equal(fields.get("subject"), 'Your secret "Database" was opened');
    assert.match(fields.get("content-type") ?? "", /^text\/plain; charset=utf-8$/);
    assert.equal(fields.get("auto-submitted"), "auto-generated");
    assert.match(fields.get("date") ?? "", /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} \+0000$/);
    assert.match(text, /^Your secret "Database" was opened\.\n\nWhen: 2026-01-02 03:04:05 UTC\n/);
    const names = ["from", "to", "subject", "message-id", "date", "mime-version", "content-type"];
    const others = ["content-transfer-encoding", "auto-submitted", "x-auto-response-suppress"];
    assert.deepEqual([...fields.keys()].sort(), [...names, ...others].sort());
  });

  it("never holds a link or an id, and the opener's address only where the operator allows it", async () => {
    const { port, mails } = await plainServer();
    const label = "http://evil.example/x www.evil.example <a href='https://evil.example'>";
    for (const kind of ["opened", "expired", "locked", "lost"] as const)
      for (const addresses of [false, true]) await deliver(port, { addresses }, { kind, label });
    assert.equal(mails.length, 8);
    for (const [i, { raw }] of mails.entries()) {
      const { fields, text } = readMail(raw);
      const words = `${fields.get("subject")}\n${text}`;
      assert.doesNotMatch(words, /:\/\/|www\.\w|evil\.\w|0123456789abcdef/);
      assert.equal(words.includes("203.0.113.9"), i % 2 === 1);
    }
  });

  it("has the same Message-ID whenever it is sent for the same event, and another for another", async () => {
    const { port, mails } = await plainServer();
    const mail = channel(port);
    for (const [attempt, key] of ["msg_1", "msg_1", "msg_2"].entries())
      await mail.deliver(event, key, attempt + 1, never);
    const [first, again, other] = mails.map(({ raw }) => readMail(raw).fields.get("message-id"));
    assert.match(first ?? "", /^<[0-9a-f]{40}@example\.com>$/);
    assert.equal(again, first);
    assert.notEqual(other, first);
  });

  it("carries labels of any language, and no label adds a line to its header", async () => {
    const { port, mails } = await plainServer();
    const labels = [
      "Schlüssel für 本番 🔑",
      "x\r\nBcc: eve@evil.example\r\n\r\nHello",
      "x\nSubject: y",
      "x\u2028Bcc: eve@evil.example",
      "=?utf-8?Q?=0D=0ABcc:_eve=40evil.example?=",
      "\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n",
      "a".repeat(100),
      "字".repeat(100),
    ];
    for (const label of labels) await deliver(port, {}, { label });
    assert.equal(mails.length, labels.length);
    for (const { raw, to } of mails) {
      const { fields, text } = readMail(raw);
      assert.equal(fields.size, 10, [...fields.keys()].join());
      assert.match(fields.get("subject") ?? "", /^Your secret "[^\r\n]+" was opened$/);
      assert.match(text, /^Your secret "[^\n]+" was opened\.\n\nWhen: /);
      assert.deepEqual(to, ["ann@example.com"]);
    }
    const first = readMail(mails[0]?.raw ?? "").fields.get("subject");
    assert.equal(first, `Your secret "${labels[0]}" was opened`);
  });

  it("keeps subject and text within their lines, whatever the label is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (label) => {
        const { subject, text } = mailText({ ...event, kind: "locked", label });
        assert.doesNotMatch(subject, /[\r\n\u2028\u2029\0]/);
        assert.equal(text.split("\n").length, 10);
      }),
    );
  });

  it("goes out for what became of it and for what needs the sender, and to who asked for it", () => {
    const mail = channel(1);
    const { email: _, ...nobody } = event;
    assert.equal(mail.name, "mail");
    const wanted = [
      "created",
      "opened",
      "expired",
      "deleted",
      "locked",
      "unlocked",
      "lost",
      "refused",
    ] as const;
    assert.deepEqual(
      wanted.filter((kind) => mail.wants({ ...event, kind })),
      ["opened", "expired", "locked", "lost"],
    );
    assert.equal(mail.wants(nobody), false);
    assert.equal(mail.wants({ ...event, email: "ann@elsewhere.example" }), false);
  });
});

describe("Whom mails go to", () => {
  it("is one address in one of the allowed domains, of which a subdomain is none", () => {
    const some = { domains: ["example.com"] };
    for (const email of ["a@example.com", "a@EXAMPLE.com"])
      assert.equal(isAllowedRecipient(email, some), true);
    for (const email of [
      "a@sub.example.com",
      "a@example.com.evil.example",
      "a@evilexample.com",
      "a@evil.example,b@example.com",
      "a%evil.example@example.com",
      "<a@example.com>",
      "A <a@evil.example> b@example.com",
      "a@example.com\nBcc: b@evil.example",
    ])
      assert.equal(isAllowedRecipient(email, some), false, email);
    assert.equal(isAllowedRecipient("a@b.example", { domains: "any" }), true);
    assert.equal(isAllowedRecipient("a@b.example, c@d.example", { domains: "any" }), false);
  });

  it("is asked again when it is sent: the operator may have taken a domain back", async () => {
    const { port, mails } = await plainServer();
    for (const email of ["a@elsewhere.example", "a@example.com, b@example.com", "", undefined]) {
      const { email: _, ...rest } = event;
      const its = email === undefined ? rest : { ...rest, email };
      const { permanent } = await failureOf(channel(port).deliver(its, "msg_1", 1, never));
      assert.equal(permanent, true);
    }
    assert.equal(mails.length, 0);
  });
});

describe("What a mail server answers", () => {
  const stages: readonly (readonly [string, (code: number) => SMTPServerOptions])[] = [
    [
      "MAIL FROM",
      (code) => ({ onMailFrom: (_address, _session, done) => done(reply(code, "ann@example.com")) }),
    ],
    ["RCPT TO", (code) => ({ onRcptTo: (_address, _session, done) => done(reply(code, "ann@example.com")) })],
    [
      "DATA",
      (code) => ({
        onData(stream, _session, done) {
          stream.on("end", () => done(reply(code, "ann@example.com")));
          stream.resume();
        },
      }),
    ],
  ];
  for (const [stage, failing] of stages) {
    it(`with 4xx to ${stage} is tried again, with 5xx it is given up`, async () => {
      for (const code of [421, 450, 451, 452, 550, 552, 554]) {
        const { port } = await plainServer(failing(code));
        const { permanent, message } = await failureOf(deliver(port));
        assert.equal(permanent, code >= 500, String(code));
        assert.match(message, new RegExp(`^The mail server answered ${code}`));
      }
    });
  }

  it("with silence, at the greeting or in the middle, ends with the attempt's time", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    cleanUps.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    await until(() => silent.listening);
    const address = silent.address();
    assert.ok(address !== null && typeof address !== "string");
    const controller = new AbortController();
    const waiting = failureOf(channel(address.port).deliver(event, "msg_1", 1, controller.signal));
    await until(() => sockets.length === 1);
    controller.abort();
    assert.deepEqual((await waiting).message, "The mail server did not answer in time.");

    const second = new AbortController();
    const stalling = await plainServer({ onRcptTo: () => second.abort() });
    const { permanent } = await failureOf(channel(stalling.port).deliver(event, "msg_1", 1, second.signal));
    assert.equal(permanent, false);
    await until(() => stalling.open() === 0);
  });

  it("with nothing, since it is away, is tried again", async () => {
    const { permanent, message } = await failureOf(deliver(await freePort()));
    assert.deepEqual([permanent, message], [false, "The mail server can't be used (ECONNREFUSED)."]);
  });
});

describe("The way to a mail server", () => {
  const login = { username: "waxseal", password: "p@ss word" };
  const auth: SMTPServerOptions = {
    authOptional: false,
    onAuth({ username, password }, _session, done) {
      if (username === login.username && password === login.password) done(null, { user: username });
      else done(reply(535, "no"));
    },
  };

  it("is encrypted by STARTTLS with a certificate of the operator's authority, and signed in on", async () => {
    const { port, mails } = await mailServer({ ...secure(), ...auth });
    await deliver(port, { security: "starttls", login });
    assert.deepEqual([mails[0]?.encrypted, mails[0]?.user], [true, "waxseal"]);
  });

  it("is encrypted from the first byte for smtps", async () => {
    const { port, mails } = await mailServer({ ...secure(), ...auth, secure: true });
    await deliver(port, { security: "tls", login });
    assert.deepEqual([mails[0]?.encrypted, mails[0]?.user], [true, "waxseal"]);
  });

  it("ends where the server offers no STARTTLS, before a word of the mail or the password", async () => {
    const said: string[] = [];
    const { port } = await mailServer({
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth(_auth, _session, done) {
        said.push("auth");
        done(null, { user: "x" });
      },
      onMailFrom(_address, _session, done) {
        said.push("mail");
        done();
      },
    });
    const { permanent, message } = await failureOf(deliver(port, { security: "starttls", login }));
    assert.equal(permanent, false);
    assert.match(message, /STARTTLS/);
    assert.deepEqual(said, []);
  });

  it("ends where nobody vouches for the certificate, or it is another host's", async () => {
    const dir = mkdtempSync(join(tmpdir(), "waxseal-mail-"));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const other = makeCertificates(dir, "DNS:elsewhere.example");
    for (const security of ["starttls", "tls"] as const) {
      const own = await mailServer({ ...secure(), secure: security === "tls" });
      assert.equal(
        (await failureOf(deliver(own.port, { security, mail: { ca: undefined } }))).permanent,
        false,
      );
      const foreign = await mailServer({ key: other.key, cert: other.cert, secure: security === "tls" });
      assert.equal(
        (await failureOf(deliver(foreign.port, { security, mail: { ca: other.ca } }))).permanent,
        false,
      );
      assert.equal(own.mails.length + foreign.mails.length, 0);
    }
  });

  it("is tried again where the password is wrong or asked for: that is the operator's to correct", async () => {
    const { port } = await mailServer({ ...secure(), ...auth });
    const wrong = { username: "waxseal", password: "rosebud" };
    const refused = await failureOf(deliver(port, { security: "starttls", login: wrong }));
    assert.equal(refused.permanent, false);
    assert.match(
      refused.message,
      /^The mail server answered 535.* Check the user and the password in SMTP_URL\.$/,
    );
    const missing = await failureOf(deliver(port, { security: "starttls" }));
    assert.equal(missing.permanent, false);
    assert.match(missing.message, /530.*SMTP_URL/);
  });

  it("is not encrypted only where the address says insecure", async () => {
    const { port, mails } = await mailServer({ ...secure() });
    await deliver(port, { security: "none" });
    assert.equal(mails[0]?.encrypted, false);
  });
});
