import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { NOTIFY_KINDS } from "../config/notify-kinds.ts";
import { WEBHOOK_FORMATS } from "../config/webhooks.ts";
import type { NotifyEvent } from "./event.ts";
import { FORMATS } from "./formats.ts";
import { plainLabel } from "./words.ts";

const event: NotifyEvent = {
  kind: "opened",
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  secret: "0123456789abcdef",
  label: "Database",
};
const textOf = (of: Partial<NotifyEvent>, format: "slack" | "mattermost") =>
  JSON.parse(FORMATS[format]({ ...event, ...of }).body).text;

describe("The standard format", () => {
  it("names every kind of event as the specification wants names to be", () => {
    for (const kind of NOTIFY_KINDS) {
      const { type, timestamp, data } = JSON.parse(FORMATS.standard({ ...event, kind }).body);
      assert.match(type, /^secret\.[a-z_]+$/);
      assert.equal(timestamp, "2026-01-02T03:04:05.000Z");
      assert.deepEqual(data, { secret: "0123456789abcdef", label: "Database" });
    }
    const refused = FORMATS.standard({ ...event, kind: "refused", reason: "not-yet", address: "1.2.3.4" });
    assert.deepEqual(JSON.parse(refused.body).data, {
      ...{ secret: "0123456789abcdef", label: "Database", reason: "not-yet" },
      address: "1.2.3.4",
    });
  });
});

describe("The formats of chats", () => {
  const said =
    "The secret “Database” was opened (2026-01-02 03:04:05 UTC, 0123456789abcdef in the audit log).";

  it("say in a sentence what happened", () => {
    assert.deepEqual(JSON.parse(FORMATS.slack(event).body), { text: said });
    assert.deepEqual(JSON.parse(FORMATS.mattermost(event).body), { text: said });
    const card = JSON.parse(FORMATS.teams(event).body);
    assert.equal(card.type, "message");
    const [attachment] = card.attachments;
    assert.equal(attachment.contentType, "application/vnd.microsoft.card.adaptive");
    assert.equal(attachment.content.type, "AdaptiveCard");
    assert.deepEqual(attachment.content.body[0].inlines, [{ type: "TextRun", text: said }]);
    assert.deepEqual(FORMATS.ntfy(event), {
      contentType: "text/plain; charset=utf-8",
      body: said,
      headers: { Title: "Waxseal", Tags: "unlock" },
    });
    const { label: _, ...unnamed } = event;
    assert.match(FORMATS.ntfy({ ...unnamed, kind: "expired" }).body, /^A secret was not opened in time/);
    const refused = { ...event, kind: "refused", reason: "country", address: "2001:db8::1" } as const;
    assert.match(
      FORMATS.ntfy(refused).body,
      /was not handed over: the attempt came from a country that may not open it, from 2001:db8::1 \(/,
    );
  });

  it("let no label make a link, a mention or markup", () => {
    const label =
      "<https://evil.example|click> & <!channel> @all [x](http://evil.example) *b* #town www.evil.example";
    const slack = textOf({ label }, "slack");
    assert.doesNotMatch(slack, /[<>]/);
    assert.match(slack, /&lt;https:\u2060\/\u2060\/\u2060evil\.\u2060example\|click&gt; &amp; /);
    assert.doesNotMatch(textOf({ label }, "mattermost"), /(?<!\\)[*[\]|`!]/);
    for (const format of WEBHOOK_FORMATS.filter((name) => name !== "standard")) {
      const { body } = FORMATS[format]({ ...event, label });
      for (const live of ["://", "@all", "www.evil", "#town", "evil.example"])
        assert.ok(!body.includes(live), `${format}: ${live}`);
    }
  });
});

describe("plainLabel", () => {
  it("keeps words of any language and pictures, on one line", () => {
    for (const label of ["Database", "Пароль для бухгалтерии", "鍵", "🔑 Ключ", "Äpfel & Birnen"])
      assert.equal(plainLabel(label), label);
    assert.equal(plainLabel("a\r\nBcc: x\u2028y\t z\u0000 "), "a Bcc: x y z");
    assert.equal(plainLabel("abc\u202Edef\u200B\u2066g"), "abc def g");
    assert.equal(plainLabel("🔑".repeat(200)), "🔑".repeat(100));
    assert.equal(plainLabel("\u200B\n"), "");
  });

  it("leaves nothing that breaks a line, is invisible, or that a program takes for an address", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 120 }), (label) => {
        const plain = plainLabel(label);
        assert.doesNotMatch(plain.replaceAll("\u2060", ""), /[\p{C}\u2028\u2029]/u);
        assert.doesNotMatch(plain, /:\/\/|[.@#][\p{L}\p{N}]/u);
      }),
    );
  });
});
