import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryChanges } from "../store/memory-changes.ts";
import { StoreUnavailableError } from "../store/store.ts";
import { type SealedSecret, type SealOptions, sealSecret } from "../testing/sealed-secret.ts";
import { createTestApp, type TestApp, type TestAppOptions } from "../testing/test-app.ts";

const HTML = { Accept: "text/html" };
const MAIL = {
  SMTP_URL: "smtp://mail.example",
  SMTP_FROM: "waxseal@example.com",
  SMTP_ALLOW_DOMAINS: "example.com",
};

/** The fields that a page's form sends of itself. */
const hiddenIn = (text: string) =>
  Object.fromEntries(
    [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
const buttonsIn = (text: string) => [...text.matchAll(/<button[^>]*>([^<]+)</g)].map(([, words]) => words);
const headingOf = (text: string) => /<h1>([^<]+)</.exec(text)?.[1];
const noticeOf = (text: string) => /<p class="notice" role="status">([^<]+)</.exec(text)?.[1];

/** The items of the list that has this name. */
function listIn(text: string, name: string): (string | undefined)[] | undefined {
  const list = new RegExp(`aria-label="${name}">([^]*?)</ul>`).exec(text)?.[1];
  return list === undefined ? undefined : [...list.matchAll(/<li>([^<]+)</g)].map(([, words]) => words);
}

/** A browser without script in front of the assisted pages. */
async function visit({ http }: TestApp) {
  const form = await http.get("/assisted/open").set(HTML).expect(200);
  const cookie = form.get("Set-Cookie") ?? [];
  const { csrf } = hiddenIn(form.text);
  const post = (path: string, fields: object) =>
    http
      .post(path)
      .set(HTML)
      .set("Cookie", cookie)
      .type("form")
      .send({ csrf, ...fields });
  return {
    create: (fields: object) =>
      post("/assisted", { secret: "hunter2", passphrase: "", ttl: "3600", ...fields }),
    paste: (secret: SealedSecret) =>
      post("/assisted/open", { link: `http://localhost:8080/r#${secret.receiptFragment}` }),
    /** Presses a button of the page in `text`. */
    press: (text: string, act: string, changed: object = {}) =>
      post("/assisted/receipt", { ...hiddenIn(text), act, ...changed }),
  };
}

async function created(seal: SealOptions = {}, options: TestAppOptions = {}) {
  const app = createTestApp(options);
  const secret = await sealSecret(seal);
  await app.create(secret);
  return { app, secret, person: await visit(app) };
}

async function locked(options: TestAppOptions = {}) {
  const env = { PASSPHRASE_TRIES: "1", ...options.env };
  const { app, ...rest } = await created({ passphrase: "rosebud" }, { ...options, env });
  const lock = () => app.open(rest.secret, { access: rest.secret.wrongAccess });
  await lock();
  return { app, lock, ...rest };
}

const stateOf = async (app: TestApp, secret: SealedSecret) =>
  (await app.http.get("/api/v1/receipt").set(app.asReceipt(secret))).body.state;
const audited = (app: TestApp) =>
  app.logLines().flatMap(({ audit, secret }) => (audit === undefined ? [] : [{ audit, secret }]));

describe("The assisted receipt", () => {
  it("deletes what is sealed, says so, and may be sent again", async () => {
    const { app, secret, person } = await created();
    const { text } = await person.paste(secret).expect(200);
    assert.deepEqual(buttonsIn(text), ["Look again", "Delete now"]);
    for (let time = 0; time < 2; time++) {
      const answer = await person.press(text, "delete").expect(200);
      assert.equal(headingOf(answer.text), "Deleted");
      assert.equal(noticeOf(answer.text), "The secret is gone and the link no longer opens.");
      assert.deepEqual(buttonsIn(answer.text), []);
    }
    await app.open(secret).expect(410);
  });

  it("unlocks what is locked, with all its tries, and offers that only then", async () => {
    const { app, secret, person } = await locked();
    const { text } = await person.paste(secret).expect(200);
    assert.deepEqual(buttonsIn(text), ["Look again", "Unlock", "Delete now"]);
    const answer = await person.press(text, "unlock").expect(200);
    assert.equal(headingOf(answer.text), "Sealed");
    assert.match(noticeOf(answer.text) ?? "", /^Unlocked\./);
    assert.match(answer.text, /1 passphrase try left\./);
    assert.deepEqual(buttonsIn(answer.text), ["Look again", "Delete now"]);
    await app.open(secret).expect(200);
  });

  it("gives nobody new tries when the answer to an earlier unlocking is reloaded", async () => {
    const { app, secret, person, lock } = await locked();
    const { text } = await person.paste(secret);
    await person.press(text, "unlock").expect(200);
    const unlocked = await person.press(text, "unlock").expect(200);
    assert.equal(noticeOf(unlocked.text), "It is not locked.");
    app.advance(1);
    await lock().expect(403);
    const again = await person.press(text, "unlock").expect(200);
    assert.equal(headingOf(again.text), "Locked");
    assert.match(noticeOf(again.text) ?? "", /locked again/);
    assert.equal(await stateOf(app, secret), "locked");
    await person.press(again.text, "unlock").expect(200);
    assert.equal(await stateOf(app, secret), "sealed");
  });

  it("says of another receipt, pasted where an unlocking failed, only what is true of that one", async () => {
    const { app, secret, person } = await locked();
    const other = await sealSecret({ passphrase: "rosebud" });
    await app.create(other);
    await app.open(other, { access: other.wrongAccess });
    const { text } = await person.paste(secret);
    const failed = await person.press(text, "unlock", { csrf: "A".repeat(43) }).expect(403);
    const answer = await person.press(failed.text, "unlock", { receipt: other.receiptFragment }).expect(200);
    assert.equal(headingOf(answer.text), "Locked");
    assert.equal(noticeOf(answer.text), "This is not the lock that you saw before. It is still locked.");
    assert.deepEqual([await stateOf(app, secret), await stateOf(app, other)], ["locked", "locked"]);
    await person.press(answer.text, "unlock").expect(200);
    assert.deepEqual([await stateOf(app, secret), await stateOf(app, other)], ["locked", "sealed"]);
  });

  it("sets no cookie where there is no form left to send", async () => {
    const { app, secret, person } = await created();
    assert(await person.paste(secret).then((answer) => answer.get("Set-Cookie")));
    await app.open(secret).expect(200);
    const { headers } = await person.paste(secret).expect(200);
    assert.equal(headers["set-cookie"], undefined);
  });

  it("writes down and tells what the API's own routes do", async () => {
    const told: string[][] = [];
    const trails: unknown[] = [];
    for (const assisted of [true, false]) {
      const ids: string[] = [];
      const changes = { ...createMemoryChanges(), publish: (id: string) => void ids.push(id) };
      const { app, secret, person } = await locked({ changes });
      ids.length = 0;
      if (assisted) {
        const { text } = await person.paste(secret);
        await person.press(text, "unlock").expect(200);
        await person.press(text, "delete").expect(200);
      } else {
        await app.http.post("/api/v1/receipt/unlock").set(app.asReceipt(secret)).expect(200);
        await app.http.delete("/api/v1/receipt/secret").set(app.asReceipt(secret)).expect(200);
      }
      told.push(ids.map((id) => (id === secret.body.id ? "it" : id)));
      trails.push(audited(app).map(({ audit }) => audit));
      assert.equal((await app.metrics.deleted.get()).values[0]?.value, 1);
    }
    assert.deepEqual(told, [
      ["it", "it"],
      ["it", "it"],
    ]);
    assert.deepEqual(trails[0], trails[1]);
  });

  it("says how it ended where somebody was faster", async () => {
    const { app, secret, person } = await created();
    const { text } = await person.paste(secret);
    await app.open(secret).expect(200);
    const answer = await person.press(text, "delete").expect(410);
    assert.equal(headingOf(answer.text), "Opened");
    assert.equal(noticeOf(answer.text), "There is nothing left to delete.");
  });

  it("keeps receipt and button where the store is away, and does it when that is back", async () => {
    const { store } = createTestApp();
    let away = false;
    const failing = {
      ...store,
      delete: (...args: Parameters<typeof store.delete>) =>
        away ? Promise.reject(new StoreUnavailableError()) : store.delete(...args),
      unlock: (...args: Parameters<typeof store.unlock>) =>
        away ? Promise.reject(new StoreUnavailableError()) : store.unlock(...args),
    };
    const { app, secret, person } = await created({ passphrase: "rosebud" }, { store: failing });
    for (let tries = 0; tries < 10; tries++) await app.open(secret, { access: secret.wrongAccess });
    const { text } = await person.paste(secret);
    for (const [act, button, state] of [
      ["unlock", "Unlock", "sealed"],
      ["delete", "Delete now", "deleted"],
    ] as const) {
      away = true;
      const answer = await person.press(text, act).expect(503);
      assert.match(answer.get("Retry-After") ?? "", /^[1-9]/);
      assert.match(answer.text, /The store does not answer\..* try again shortly\./);
      assert.match(
        answer.text,
        new RegExp(`<textarea[^>]* name="receipt"[^>]*>[^<]*${secret.receiptFragment}<`),
      );
      assert.deepEqual(buttonsIn(answer.text), [button]);
      away = false;
      const pasted = { receipt: secret.receiptFragment };
      await person.press(answer.text, act, pasted).expect(200);
      assert.equal(await stateOf(app, secret), state);
    }
  });

  it("does nothing without the form's token, and nothing on a GET", async () => {
    const { app, secret, person } = await created();
    const { text } = await person.paste(secret);
    const refused = await person.press(text, "delete", { csrf: "A".repeat(43) }).expect(403);
    assert.match(refused.text, /This form was too old/);
    const { headers } = await app.http
      .get(`/assisted/receipt?act=delete&receipt=${secret.receiptFragment}`)
      .expect(303);
    assert.equal(headers.location, "/assisted/open");
    const foreign = await person.press(text, "delete").set("Sec-Fetch-Site", "cross-site").expect(403);
    assert.match(foreign.text, /Only pages of http:\/\/localhost:8080 may do this/);
    assert.equal(await stateOf(app, secret), "sealed");
  });

  it("answers a link, a broken receipt and a wrong one as the API does: with nothing done", async () => {
    const { app, secret, person } = await created();
    const { text } = await person.paste(secret);
    const other = await sealSecret();
    const wrong = secret.receiptFragment.slice(0, 22) + other.receiptFragment.slice(22);
    for (const [receipt, status] of [
      [wrong, 404],
      [other.receiptFragment, 404],
      [secret.linkFragment, 400],
      [secret.receiptFragment.slice(0, -4), 400],
      ["", 400],
    ] as const) {
      await person.press(text, "delete", { receipt }).expect(status);
    }
    assert.equal(await stateOf(app, secret), "sealed");
  });

  it("counts against the limit that the other forms have", async () => {
    const { secret, person } = await created({}, { env: { RATE_LIMIT_OPEN: "2/1m" } });
    const { text } = await person.paste(secret);
    await person.press(text, "look").expect(200);
    const refused = await person.press(text, "delete").expect(429);
    assert.match(refused.text, /Too many tries from your address/);
    assert(refused.text.includes(secret.receiptFragment));
  });

  it("says who may open, in UTC, and not who is told", async () => {
    const rules = {
      networks: ["10.0.0.0/8"],
      notBefore: "2026-01-02T03:30:00Z",
      hours: { zone: "Europe/Berlin", days: [1, 2, 3, 4, 5], from: "09:00", to: "17:00" },
    };
    const app = createTestApp({ env: MAIL });
    const [ruled, plain] = [await sealSecret({ rules }), await sealSecret()];
    const notify = { email: "ann@example.com", label: "a label" };
    await app.http
      .post("/api/v1/secrets")
      .send({ ...ruled.body, notify })
      .expect(201);
    await app.create(plain);
    const person = await visit(app);
    const { text } = await person.paste(ruled);
    assert.deepEqual(listIn(text, "Who may open"), [
      "Only from 10.0.0.0/8.",
      "Not before 2 Jan 2026, 03:30 UTC.",
      "Only Monday to Friday, 09:00 to 17:00 in Europe/Berlin.",
    ]);
    assert.doesNotMatch(text, /ann@example|a label/);
    assert.equal(listIn((await person.paste(plain)).text, "Who may open"), undefined);
  });

  it("can be read and deleted with where its rules are newer than the server", async () => {
    const { store } = createTestApp();
    const read = async (...args: Parameters<typeof store.read>) => {
      const record = await store.read(...args);
      return record && { ...record, rules: '{"moon":"full"}' };
    };
    const { secret, person } = await created({}, { store: { ...store, read } });
    const { text } = await person.paste(secret).expect(200);
    assert.match(listIn(text, "Who may open")?.[0] ?? "", /of a kind that this version does not know/);
    assert.equal(headingOf((await person.press(text, "delete").expect(200)).text), "Deleted");
  });

  it("offers to give up what is still being sent", async () => {
    const app = createTestApp();
    const secret = await sealSecret();
    await app.announce(secret);
    const person = await visit(app);
    const { text } = await person.paste(secret).expect(200);
    assert.match(text, /Unless more of it arrives, it is given up/);
    const answer = await person.press(text, "delete").expect(200);
    assert.equal(headingOf(answer.text), "Deleted");
  });
});

describe("The assisted page of a link that is ready", () => {
  it("says who may open and who is told, where the sender chose that", async () => {
    const person = await visit(createTestApp({ env: MAIL }));
    const chosen = {
      networks: "10.0.0.0/8 192.0.2.7",
      "not-before": "2026-01-02T03:30",
      "notify-email": "ann@example.com",
    };
    const { text } = await person.create(chosen).expect(200);
    assert.deepEqual(listIn(text, "What you chose"), [
      "Only from 10.0.0.0/8 or 192.0.2.7.",
      "Not before 2 Jan 2026, 03:30 UTC.",
      "What becomes of it is told to ann@example.com.",
    ]);
    assert.equal(listIn((await person.create({}).expect(200)).text, "What you chose"), undefined);
  });
});
