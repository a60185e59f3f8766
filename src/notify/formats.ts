import type { NotifyKind } from "../config/notify-kinds.ts";
import type { WebhookFormat } from "../config/webhooks.ts";
import type { NotifyEvent } from "./event.ts";
import { sentenceOf } from "./words.ts";

/** What is posted for an event, the same in every attempt. */
export interface Message {
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (value: unknown): Message => ({
  contentType: "application/json",
  body: JSON.stringify(value),
});

/** https://www.standardwebhooks.com: type, time of the event (not of the attempt), data. */
function standard({ kind, at, secret, label, reason, address }: NotifyEvent): Message {
  return json({
    // The specification has letters, digits, _ and full stops.
    type: `secret.${kind.replaceAll("-", "_")}`,
    timestamp: new Date(at).toISOString(),
    data: { secret, label, reason, address },
  });
}

/** Slack's own three escapes: "<!channel>" and "<https://…|text>" are what they are for. */
function slack(event: NotifyEvent): Message {
  const text = sentenceOf(event).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return json({ text });
}

function mattermost(event: NotifyEvent): Message {
  return json({ text: sentenceOf(event).replace(/[\\`*{}[\]#+!_>|]/g, "\\$&") });
}

/** For "Post to a channel when a webhook request is received". Text runs are not read as Markdown. */
function teams(event: NotifyEvent): Message {
  const content = {
    type: "AdaptiveCard",
    version: "1.4",
    body: [{ type: "RichTextBlock", inlines: [{ type: "TextRun", text: sentenceOf(event) }] }],
  };
  const contentType = "application/vnd.microsoft.card.adaptive";
  return json({ type: "message", attachments: [{ contentType, contentUrl: null, content }] });
}

/** ntfy's emoji short codes. */
const TAGS: Readonly<Record<NotifyKind, string>> = {
  created: "lock",
  opened: "unlock",
  expired: "hourglass",
  deleted: "wastebasket",
  locked: "no_entry",
  unlocked: "key",
  lost: "warning",
  refused: "no_entry",
  "wrong-passphrase": "warning",
};

/** To a topic's own address: the body is the message. */
function ntfy(event: NotifyEvent): Message {
  return {
    contentType: "text/plain; charset=utf-8",
    body: sentenceOf(event),
    headers: { Title: "Waxseal", Tags: TAGS[event.kind] },
  };
}

export const FORMATS: Readonly<Record<WebhookFormat, (event: NotifyEvent) => Message>> = {
  standard,
  slack,
  teams,
  mattermost,
  ntfy,
};
