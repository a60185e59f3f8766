import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { SMTPServerOptions } from "smtp-server";
import { makeCertificates } from "../testing/certificates.ts";
import { freePort } from "../testing/free-port.ts";
import { startHookReceiver } from "../testing/hook-receiver.ts";
import { reply, startMailServer } from "../testing/mail-server.ts";
import { visit } from "./testing.ts";

const PASSWORD = "correct-horse-battery";
const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

/** What it says of these settings; that no server runs is another matter. */
const look = async (env: Readonly<Record<string, string>>) =>
  visit({ PORT: String(await freePort()), ...env });

describe("The doctor, at notifications", () => {
  it("signs in at the mail server over STARTTLS and sends nothing", async () => {
    const dir = mkdtempSync(join(tmpdir(), "waxseal-doctor-"));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const { cert, key, files } = makeCertificates(dir);
    const onAuth: SMTPServerOptions["onAuth"] = ({ password }, _session, done) =>
      password === PASSWORD ? done(null, { user: "x" }) : done(reply(535));
    const server = await startMailServer({ cert, key, authOptional: false, onAuth });
    cleanUps.push(() => server.close());
    const others = {
      SMTP_FROM: "waxseal@example.com",
      SMTP_ALLOW_DOMAINS: "example.com",
      SMTP_CA_FILE: files.ca,
    };
    const at = (password: string) => `smtp://u:${password}@127.0.0.1:${server.port}`;
    (await look({ SMTP_URL: at(PASSWORD), ...others })).says("ok", "mail", /takes mail from us, encrypted/);
    const wrong = await look({ SMTP_URL: at("rosebud"), ...others });
    wrong.says("problem", "mail", /answered 535.*Check the user and the password in SMTP_URL/);
    const { SMTP_CA_FILE: _, ...public_ } = others;
    (await look({ SMTP_URL: at(PASSWORD), ...public_ })).says(
      "problem",
      "mail",
      /correct SMTP_URL and SMTP_CA_FILE/,
    );
    const away = await look({ SMTP_URL: `smtp://127.0.0.1:${await freePort()}`, ...public_ });
    away.says("problem", "mail", /can't be used \(ECONNREFUSED\)\. Start it/);
    assert.ok(!wrong.output.includes("rosebud") && !away.output.includes(PASSWORD));
    assert.equal(server.mails.length, 0);
  });

  it("warns where mails are not encrypted", async () => {
    const server = await startMailServer({ disabledCommands: ["STARTTLS", "AUTH"] });
    cleanUps.push(() => server.close());
    const { says } = await look({
      SMTP_URL: `smtp+insecure://127.0.0.1:${server.port}`,
      SMTP_FROM: "waxseal@example.com",
      SMTP_ALLOW_DOMAINS: "*",
    });
    says("warning", "mail", /mails go unencrypted/);
  });

  it("says where each webhook leads and whether anything may be sent there, and sends nothing", async () => {
    const { port, connections, close } = await startHookReceiver();
    cleanUps.push(close);
    const hook = (name: string, host: string) => ({
      name,
      url: `https://${host}:${port}/tOkEn`,
      format: "slack",
    });
    const hooks = [hook("near", "127.0.0.1"), hook("far", "10.0.0.1"), hook("lost", "nowhere.invalid")];
    const { says, output } = await look({
      WEBHOOKS: JSON.stringify(hooks),
      WEBHOOK_ALLOW_CIDRS: "127.0.0.0/8",
    });
    says("ok", "webhook near", /leads to 127\.0\.0\.1; nothing was sent/);
    says("problem", "webhook far", /leads to 10\.0\.0\.1, where nothing is sent.*WEBHOOK_ALLOW_CIDRS/);
    says("problem", "webhook lost", /leads to no address as seen from here/);
    assert.ok(!output.includes("tOkEn"));
    assert.equal(connections().all, 0);
  });
});
