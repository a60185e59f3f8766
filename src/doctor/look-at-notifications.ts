import type { Config, MailConfig } from "../config/config.ts";
import type { WebhookConfig } from "../config/webhooks.ts";
import { describeMailFailure } from "../notify/mail.ts";
import { createMailTransport } from "../notify/mail-transport.ts";
import { createJudge, resolveJudged, resolveName } from "../notify/reachable.ts";
import { codeOf } from "../notify/webhook.ts";
import { type Check, ok, problem, warning } from "./finding.ts";
import { type Line, runChecks } from "./run-checks.ts";

/** Connects, encrypts and signs in, as for a mail, and sends none. */
function checkMail(mail: MailConfig): Check<Config> {
  return {
    name: "mail",
    async run({ publicUrl }) {
      const transport = createMailTransport(mail, publicUrl.hostname);
      try {
        await transport.verify();
      } catch (error) {
        const { message } = describeMailFailure(error);
        return [problem(`${message} Start it, or correct SMTP_URL and SMTP_CA_FILE.`)];
      } finally {
        transport.close();
      }
      const { security, username } = mail.server;
      if (security !== "none") return [ok("the mail server takes mail from us, encrypted")];
      const lost = username === undefined ? "mails go" : "mails and the password go";
      return [
        warning(`the mail server takes mail from us, but ${lost} unencrypted. Write smtp:// or smtps://.`),
      ];
    },
  };
}

/** Where its name leads. Nothing is sent: whoever reads there would take it for an event. */
function checkWebhook({ name, url }: WebhookConfig): Check<Config> {
  return {
    name: `webhook ${name}`,
    async run({ webhookAllowCidrs }) {
      try {
        const found = await resolveJudged(new URL(url), createJudge(webhookAllowCidrs), resolveName);
        if ("addresses" in found)
          return [
            ok(`leads to ${found.addresses.map(({ address }) => address).join(", ")}; nothing was sent`),
          ];
        return [
          problem(
            `leads to ${found.refused}, where nothing is sent. Correct its url, or list the address in WEBHOOK_ALLOW_CIDRS.`,
          ),
        ];
      } catch (error) {
        return [
          problem(`leads to no address as seen from here (${codeOf(error)}). Correct its url, or DNS.`),
        ];
      }
    },
  };
}

/** Everything that is told outside; nothing where nobody is. */
export function lookAtNotifications(config: Config, deadline: number): Promise<Line[]> {
  const checks = config.webhooks.map(checkWebhook);
  if (config.mail !== undefined) checks.unshift(checkMail(config.mail));
  return runChecks(checks, config, deadline);
}
