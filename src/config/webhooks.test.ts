import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "./parse-config.ts";
import { files, pem, problemsOf } from "./problems-of.ts";
import { ValueError } from "./value-error.ts";
import { parseWebhooks, webhookKey } from "./webhooks.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const slack = { name: "ops", url: "https://hooks.example/T/B/x", format: "slack" };
const json = (...entries: readonly unknown[]) => JSON.stringify(entries);

function complaintOf(text: string): string {
  try {
    parseWebhooks(text);
  } catch (error) {
    assert.ok(error instanceof ValueError, String(error));
    return error.message;
  }
  return "";
}

describe("WEBHOOKS", () => {
  it("reads several, with the usual events where none are named", () => {
    const standard = {
      name: "siem-1",
      url: "https://siem.example",
      format: "standard",
      secret,
      events: ["created", "opened"],
      headers: { Authorization: "Bearer x" },
    };
    assert.deepEqual(parseWebhooks(json(slack, standard)), [
      {
        ...slack,
        secret: undefined,
        events: ["opened", "expired", "deleted", "locked", "lost", "refused"],
        headers: {},
      },
      { ...standard, url: "https://siem.example/" },
    ]);
  });

  it("says every fault of every entry at once", () => {
    const said = complaintOf(
      json(
        { name: "Ops Chat", url: "hooks.example", format: "discord", secret: "hunter2", events: ["open"] },
        slack,
        "https://hooks.example",
        { ...slack, colour: "red", headers: { Host: "x" } },
        { name: "bare", url: "https://h.example", format: "standard" },
      ),
    );
    for (const fault of [
      /Webhook 1: name must be/,
      /Webhook 1: url must be an https:/,
      /Webhook 1: format must be one of standard, slack, teams, mattermost, ntfy/,
      /Webhook 1: secret must be whsec_/,
      /Webhook 1: events must be a list of created, opened/,
      /Webhook 3: must be an object/,
      /Webhook 4: may only hold name, url/,
      /Webhook 4: headers names one that is set by itself/,
      /Webhook 5: format standard needs a secret/,
    ])
      assert.match(said, fault);
    assert.doesNotMatch(said, /Webhook 2/);
    assert.match(complaintOf(json(slack, slack)), /Webhook 2: name is that of another one/);
  });

  it("refuses what is no list, or too long a one", () => {
    const many = Array.from({ length: 21 }, (_, i) => ({ ...slack, name: `ops-${i}` }));
    for (const text of ["", "https://hooks.example", "{}", "[]", "null", "[", json(...many)])
      assert.match(complaintOf(text), /Write \[\{"name"/, text);
    assert.equal(parseWebhooks(json(...many.slice(1))).length, 20);
  });

  it("refuses addresses and headers that would smuggle something in", () => {
    for (const url of [
      "ftp://h.example",
      "https://user:pw@h.example",
      "https://h.example/#x",
      "https://h.example/ x",
      "//h.example",
    ])
      assert.match(complaintOf(json({ ...slack, url })), /url must be/, url);
    for (const headers of [
      { "X-A": "b\r\nX-C: d" },
      { "X A": "b" },
      { "": "b" },
      { "webhook-id": "b" },
      { "Content-Length": "1" },
      { "X-A": "ü" },
      { "X-A": "" },
      { "X-A": 1 },
      ["X-A"],
    ])
      assert.match(complaintOf(json({ ...slack, headers })), /headers/, JSON.stringify(headers));
  });

  it("never repeats a value, nor a name that it doesn't know", () => {
    const key = "QX81QX81";
    const wrong: readonly unknown[] = [
      { ...slack, url: `http//${key}` },
      { ...slack, url: `https://a:${key}@h.example` },
      { ...slack, secret: `whsec_${key}` },
      { ...slack, [key]: 1 },
      { ...slack, headers: { [`${key} `]: "x" } },
      { ...slack, headers: { "X-A": `${key}\n` } },
      { ...slack, events: [key] },
      { ...slack, format: key },
      { ...slack, name: key },
      key,
      [key],
    ];
    for (const entry of wrong) {
      const said = problemsOf({ WEBHOOKS: json(entry) }).join();
      assert.match(said, /^WEBHOOKS: can't be used\. Webhook 1: /);
      assert.ok(!said.includes(key), said);
    }
    for (const text of [key, `[{"${key}`, `"${key}"`])
      assert.ok(!problemsOf({ WEBHOOKS: text }).join().includes(key), text);
  });

  it("comes from a file as well", () => {
    const config = parseConfig({ WEBHOOKS_FILE: "/run/hooks" }, files({ "/run/hooks": `${json(slack)}\n` }));
    assert.equal(config.webhooks[0]?.name, "ops");
  });

  it("takes plain http only beside a list of addresses, which makes no sense without webhooks", () => {
    const plain = { WEBHOOKS: json({ ...slack, url: "http://chat.internal/x" }) };
    assert.match(problemsOf(plain).join(), /^WEBHOOKS: ops is reached over plain http/);
    const config = parseConfig({ ...plain, WEBHOOK_ALLOW_CIDRS: "10.0.0.0/8, fd00::/8" }, files());
    assert.deepEqual(config.webhookAllowCidrs, ["10.0.0.0/8", "fd00::/8"]);
    assert.match(problemsOf({ WEBHOOK_ALLOW_CIDRS: "10.0.0.0/8" }).join(), /goes with WEBHOOKS/);
    const ca = { WEBHOOK_CA_FILE: "/ca" };
    assert.match(problemsOf(ca, files({ "/ca": pem })).join(), /goes with WEBHOOKS/);
    assert.equal(
      parseConfig({ ...ca, WEBHOOKS: json(slack) }, files({ "/ca": pem })).webhookCa?.trim(),
      pem.trim(),
    );
  });
});

describe("webhookKey", () => {
  it("takes 24 to 64 bytes of canonical base64 and nothing else", () => {
    const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 9).toString("base64")}`;
    assert.equal(webhookKey(of(24))?.length, 24);
    assert.equal(webhookKey(of(64))?.length, 64);
    for (const text of [
      of(23),
      of(65),
      of(32).slice(6),
      of(32).slice(0, -1),
      `${of(32)}\n`,
      of(32).toUpperCase(),
    ])
      assert.equal(webhookKey(text), undefined, text);
  });
});
