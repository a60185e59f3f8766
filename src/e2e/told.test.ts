import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { fingerprint } from "../audit/fingerprint.ts";
import { makeCertificates } from "../testing/certificates.ts";
import { startHookReceiver } from "../testing/hook-receiver.ts";
import { readMail, reply, startMailServer } from "../testing/mail-server.ts";
import { sealSecret } from "../testing/sealed-secret.ts";
import { startServer } from "../testing/server-process.ts";
import { until } from "../testing/until.ts";

const cleanUps: (() => unknown)[] = [];
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const PASSWORD = "correct-horse-battery";
const json = { "Content-Type": "application/json" };

describe("The server as it is run", () => {
  it("tells the sender by mail and a webhook of the operator's that a secret was opened, and by nothing which", async () => {
    const dir = mkdtempSync(join(tmpdir(), "waxseal-told-"));
    cleanUps.push(() => rmSync(dir, { recursive: true }));
    const { cert, key, files } = makeCertificates(dir);
    const mailServer = await startMailServer({
      ...{ cert, key, authOptional: false },
      onAuth: ({ password }, _session, done) =>
        password === PASSWORD ? done(null, { user: "waxseal" }) : done(reply(535)),
    });
    cleanUps.push(() => mailServer.close());
    const hook = await startHookReceiver(undefined, { tls: { cert, key } });
    cleanUps.push(() => hook.close());
    writeFileSync(join(dir, "smtp"), `smtp://waxseal:${PASSWORD}@127.0.0.1:${mailServer.port}\n`);
    const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const url = `https://localhost:${hook.port}/in`;
    writeFileSync(
      join(dir, "hooks"),
      JSON.stringify([{ name: "siem", url, format: "standard", secret, events: ["created", "opened"] }]),
    );
    const server = await startServer({
      SMTP_URL_FILE: join(dir, "smtp"),
      SMTP_CA_FILE: files.ca,
      SMTP_FROM: "waxseal@example.com",
      SMTP_ALLOW_DOMAINS: "example.com",
      WEBHOOKS_FILE: join(dir, "hooks"),
      WEBHOOK_CA_FILE: files.ca,
      WEBHOOK_ALLOW_CIDRS: "127.0.0.1,::1",
    });
    cleanUps.push(() => server.stop());

    const sealed = await sealSecret();
    const post = async (path: string, body: object, headers = {}) => {
      const init = { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(body) };
      const response = await fetch(`${server.url}/api/v1/${path}`, init);
      return response.status;
    };
    const notify = { email: "ann@example.com", label: "Database" };
    assert.equal(await post("secrets", { ...sealed.body, notify }), 201);
    const asLink = { Authorization: `Bearer ${sealed.link}` };
    assert.equal(await post("secret/open", { access: sealed.access }, asLink), 200);
    await until(() => mailServer.mails.length === 1 && hook.received.length === 2);

    const [mail] = mailServer.mails;
    assert.deepEqual([mail?.to, mail?.encrypted, mail?.user], [["ann@example.com"], true, "waxseal"]);
    const { fields, text } = readMail(mail?.raw ?? "");
    assert.equal(fields.get("subject"), 'Your secret "Database" was opened');
    const told = hook.received.map(({ body }) => JSON.parse(body));
    assert.deepEqual(told.map(({ type }) => type).sort(), ["secret.created", "secret.opened"]);
    for (const { data } of told)
      assert.deepEqual(data, { secret: fingerprint(sealed.body.id), label: "Database" });

    const outside = [mail?.raw, text, ...hook.received.map((each) => JSON.stringify(each))].join("\n");
    for (const hidden of [sealed.body.id, sealed.link, sealed.linkFragment, sealed.receipt, sealed.access])
      assert.ok(!outside.includes(hidden));
    for (const inTheLog of [PASSWORD, "whsec_", "ann@", "Database", url, sealed.body.id])
      assert.ok(!server.output().includes(inTheLog), inTheLog);
  });
});
