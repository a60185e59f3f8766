import type { MailConfig } from "../config/config.ts";
import { domainOf, parseMailbox } from "../config/smtp.ts";

/** Whether this text is one plain address that the operator lets us write to. */
export function isAllowedRecipient(email: string, { domains }: Pick<MailConfig, "domains">): boolean {
  const mailbox = parseMailbox(email);
  return mailbox !== undefined && (domains === "any" || domains.includes(domainOf(mailbox)));
}
