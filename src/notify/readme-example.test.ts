import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseWebhooks, webhookKey } from "../config/webhooks.ts";
import { startHookReceiver } from "../testing/hook-receiver.ts";
import { createWebhookChannel } from "./webhook.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

type IsFromWaxseal = (headers: object, body: string, secret: string) => boolean;

async function exampleOf(text: string): Promise<IsFromWaxseal> {
  const [, code = ""] = /```js\n([^`]*isFromWaxseal[\s\S]*?)```/.exec(text) ?? [];
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return module.isFromWaxseal;
}

describe("The README's receiver", () => {
  it("takes what a webhook of ours sends, and nothing that was changed, is old, or another's", async () => {
    const isFromWaxseal = await exampleOf(readme);
    const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const receiver = await startHookReceiver();
    try {
      const url = `http://127.0.0.1:${receiver.port}/`;
      const [webhook] = parseWebhooks(JSON.stringify([{ name: "siem", url, format: "standard", secret }]));
      assert.ok(webhook);
      const channel = createWebhookChannel({ webhook, allowed: ["127.0.0.1"], addresses: false });
      const event = { kind: "opened", at: 0, secret: "0123456789abcdef", label: "Schlüssel" } as const;
      await channel.deliver(event, "msg_1", 1, new AbortController().signal);
      const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
      assert.equal(isFromWaxseal(headers, body, secret), true);
      const old = { ...headers, "webhook-timestamp": "1" };
      const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
      for (const [these, text, key] of [
        [headers, `${body} `, secret],
        [headers, body, other],
        [{ ...headers, "webhook-id": "msg_2" }, body, secret],
        [{ ...headers, "webhook-signature": undefined }, body, secret],
        [{ ...headers, "webhook-timestamp": undefined }, body, secret],
        [old, body, secret],
      ] as const)
        assert.equal(isFromWaxseal(these, text, key), false);
    } finally {
      await receiver.close();
    }
  });

  it("has a way to make secrets that we take", () => {
    assert.ok(readme.includes('echo "whsec_$(openssl rand -base64 32)"'));
    assert.equal(webhookKey(`whsec_${Buffer.alloc(32).toString("base64")}`)?.length, 32);
  });
});
