import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type SealedSecret, sealSecret } from "../testing/sealed-secret.ts";
import { submitForm } from "../testing/submit-form.ts";
import { createTestApp, type TestApp } from "../testing/test-app.ts";

const env = {
  SMTP_URL: "smtp://mail.example",
  SMTP_FROM: "waxseal@example.com",
  SMTP_ALLOW_DOMAINS: "example.com, example.org",
};

const send = ({ http }: TestApp, { body }: SealedSecret, notify: unknown) =>
  http.post("/api/v1/secrets").send({ ...body, notify });

describe("A create that asks for mail", () => {
  it("keeps address and label beside the secret, and shows them to nobody", async () => {
    const app = createTestApp({ env });
    const secret = await sealSecret();
    const answer = await send(app, secret, { email: "Ann@Example.com", label: "Schlüssel 🔑" }).expect(201);
    const record = await app.store.read(secret.body.id);
    assert.equal(record?.sender, '{"email":"Ann@example.com","label":"Schlüssel 🔑"}');
    const receipt = await app.http.get("/api/v1/receipt").set(app.asReceipt(secret)).expect(200);
    const link = await app.http.get("/api/v1/secret").set(app.asLink(secret)).expect(200);
    const said = [answer.text, receipt.text, link.text, JSON.stringify(app.logLines())].join("\n");
    assert.doesNotMatch(said, /Ann@|Schlüssel/);
  });

  it("needs no label, and is a create like any other without an address", async () => {
    const app = createTestApp({ env });
    const [named, plain] = [await sealSecret(), await sealSecret()];
    await send(app, named, { email: "ann@example.org" }).expect(201);
    assert.equal((await app.store.read(named.body.id))?.sender, '{"email":"ann@example.org"}');
    await app.create(plain);
    assert.equal((await app.store.read(plain.body.id))?.sender, undefined);
  });

  it("is refused, with the field that is wrong, and keeps nothing", async () => {
    const app = createTestApp({ env });
    for (const [notify, field, words] of [
      [
        { email: "ann@elsewhere.example" },
        "notify.email",
        /writes only to addresses at example\.com, example\.org/,
      ],
      [{ email: "ann@sub.example.com" }, "notify.email", /writes only/],
      [{ email: "ann@example.com, bob@example.com" }, "notify.email", /one plain e-mail address/],
      [{ email: "Ann <ann@example.com>" }, "notify.email", /one plain/],
      [{ email: "ann@example.com\r\nBcc: eve@evil.example" }, "notify.email", /one plain/],
      [{ email: ["ann@example.com"] }, "notify.email", /one plain/],
      [{ label: "x" }, "notify.email", /one plain/],
      [{ email: "ann@example.com", label: "" }, "notify.label", /1 to 100 characters/],
      [{ email: "ann@example.com", label: "x".repeat(101) }, "notify.label", /1 to 100/],
      [{ email: "ann@example.com", label: "x\r\nBcc: y" }, "notify.label", /on one line/],
      [{ email: "ann@example.com", label: null }, "notify.label", /on one line/],
      [{ email: "ann@example.com", cc: "x" }, "notify.cc", /no such field/],
      ["ann@example.com", "notify", /Must be an object/],
      [null, "notify", /Must be an object/],
    ] as const) {
      const secret = await sealSecret();
      const { body } = await send(app, secret, notify).expect(400);
      assert.equal(body.code, "invalid");
      assert.equal(body.errors.length, 1, JSON.stringify(body));
      assert.equal(body.errors[0].field, field);
      assert.match(body.errors[0].message, words);
      assert.equal(await app.store.read(secret.body.id), undefined);
    }
  });

  it("is refused where no mail server is set", async () => {
    const app = createTestApp();
    const { body } = await send(app, await sealSecret(), { email: "ann@example.com" }).expect(400);
    assert.deepEqual(body.errors, [{ field: "notify", message: "This server sends no mail. Leave it out." }]);
  });

  it("takes the longest address and label that there are", async () => {
    const app = createTestApp({ env: { ...env, SMTP_ALLOW_DOMAINS: "*" } });
    const domain = `${"d".repeat(60)}.${"d".repeat(60)}.${"d".repeat(60)}.example`;
    const email = `${"a".repeat(254 - domain.length - 1)}@${domain}`.slice(-254);
    for (const label of ["🔑".repeat(100), '"'.repeat(100), "\u{1F468}\u200D\u{1F469}".repeat(33)])
      await send(app, await sealSecret(), { email, label }).expect(201);
  });

  it("counts against the same limit as every create, so that nobody sends mails without end", async () => {
    const app = createTestApp({ env: { ...env, RATE_LIMIT_CREATE: "2/10m" } });
    const results: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { status } = await send(app, await sealSecret(), { email: "ann@example.com" });
      results.push(status);
    }
    assert.deepEqual(results, [201, 201, 429]);
  });
});

describe("The assisted create", () => {
  const submit = (app: TestApp, fields: Readonly<Record<string, string>>) =>
    submitForm(app, "/assisted", { secret: "hunter2", ttl: "3600", passphrase: "", ...fields });

  it("asks for an address only where there is a mail server", async () => {
    for (const [settings, shown] of [
      [env, true],
      [{}, false],
    ] as const) {
      const { text } = await createTestApp({ env: settings }).http.get("/assisted").expect(200);
      assert.equal(text.includes("notify-email"), shown);
    }
  });

  it("keeps what was asked for beside the secret", async () => {
    const kept: (string | undefined)[] = [];
    const { store } = createTestApp();
    const noting = {
      ...store,
      create: (...args: Parameters<typeof store.create>) => {
        kept.push(args[0].sender);
        return store.create(...args);
      },
    };
    const app = createTestApp({ env, store: noting });
    assert.equal(
      (await submit(app, { "notify-email": " ann@example.com ", "notify-label": " x " })).status,
      200,
    );
    assert.equal((await submit(app, { "notify-email": "", "notify-label": "" })).status, 200);
    assert.deepEqual(kept, ['{"email":"ann@example.com","label":"x"}', undefined]);
  });

  it("leads to the field that is wrong, and keeps what was typed", async () => {
    const app = createTestApp({ env });
    for (const [fields, id, words] of [
      [{ "notify-email": "ann" }, "notify-email", "Enter one plain e-mail address"],
      [{ "notify-label": "only a label" }, "notify-email", "Enter one plain e-mail address"],
      [{ "notify-email": "ann@evil.example" }, "notify-email", "This server writes only to addresses at"],
      [
        { "notify-email": "ann@example.com", "notify-label": "l".repeat(101) },
        "notify-label",
        "Call it by at most 100 characters",
      ],
    ] as const) {
      const { status, text } = await submit(app, fields);
      assert.equal(status, 400);
      assert.ok(text.includes(`<a href="#${id}">${words}`), text);
      for (const value of Object.values(fields)) assert.ok(text.includes(`value="${value}"`));
    }
    const without = await submit(createTestApp(), { "notify-email": "ann@example.com" });
    assert.equal(without.status, 400);
    assert.match(without.text, /This server sends no mail/);
  });
});
