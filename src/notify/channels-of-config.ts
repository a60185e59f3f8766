import type { Config } from "../config/config.ts";
import type { Channel } from "./channel.ts";
import { createMailChannel } from "./mail.ts";
import type { NotifyLog } from "./notify-log.ts";
import { createWebhookChannel } from "./webhook.ts";

/** Every destination that the operator set, in the order of the settings; none where nothing is set. */
export function channelsOf(config: Config, log: Pick<NotifyLog, "info">): readonly Channel[] {
  const { mail, webhooks, webhookAllowCidrs, webhookCa, notifyAddresses: addresses, publicUrl } = config;
  const channels = webhooks.map((webhook) =>
    createWebhookChannel({ webhook, allowed: webhookAllowCidrs, ca: webhookCa, addresses }),
  );
  if (mail !== undefined) channels.push(createMailChannel({ mail, helo: publicUrl.hostname, addresses }));
  if (channels.length > 0) log.info({ channels: channels.map(({ name }) => name) }, "notifications are on");
  return channels;
}
