import { createHmac } from "node:crypto";

/**
 * The value of `webhook-signature`, as Standard Webhooks has it: HMAC-SHA256 of id, time and body. The
 * time is in seconds and that of this attempt, so that a receiver can refuse what was recorded and is
 * sent again; the id stays the same, so that it can tell an event that comes twice.
 */
export function signWebhook(key: Uint8Array, id: string, seconds: number, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`;
}
