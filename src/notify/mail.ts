import { createHash } from "node:crypto";
import type { MailConfig } from "../config/config.ts";
import { domainOf, parseMailbox } from "../config/smtp.ts";
import { type Channel, DeliveryError } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";
import { isMailed, mailText } from "./mail-text.ts";
import { createMailTransport } from "./mail-transport.ts";
import { isAllowedRecipient } from "./recipient.ts";

export interface MailOptions {
  readonly mail: MailConfig;
  /** What we call ourselves to the mail server. */
  readonly helo: string;
  /** Whether mails may show client addresses. */
  readonly addresses: boolean;
}

/** Replies about who we are (RFC 4954, section 6): the mail itself is fine, and so may the next try be. */
const ABOUT_SIGNING_IN = [530, 534, 535, 538];

/** The same for the same event, so that what is sent twice is recognised (RFC 5322, section 3.6.4). */
function messageIdOf(key: string, from: string): string {
  const digest = createHash("sha256").update(`waxseal/1 mail\0${key}`).digest("hex");
  return `<${digest.slice(0, 40)}@${domainOf(from)}>`;
}

/** Without any word of the server's: those hold addresses. */
export function describeMailFailure(error: unknown): {
  readonly message: string;
  readonly permanent: boolean;
} {
  const of = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined);
  const [code, reply, command] = [of("code"), of("responseCode"), of("command")];
  const said =
    typeof command === "string" ? /^(MAIL FROM|RCPT TO|DATA|STARTTLS|EHLO|AUTH)/.exec(command) : null;
  const refused = code === "EENVELOPE" || code === "EMESSAGE";
  if (typeof reply === "number") {
    const signingIn = code === "EAUTH" || ABOUT_SIGNING_IN.includes(reply);
    const fix = signingIn ? " Check the user and the password in SMTP_URL." : "";
    return {
      message: `The mail server answered ${reply}${said === null ? "" : ` to ${said[1]}`}.${fix}`,
      permanent: refused && !signingIn && of("permanent") === true,
    };
  }
  const cause = [of("originalCode"), code].find((name) => typeof name === "string") ?? "unknown error";
  if (code === "ETLS")
    return { message: "The mail server offers no encryption that can be trusted (ETLS).", permanent: false };
  return { message: `The mail server can't be used (${cause}).`, permanent: refused };
}

/** Writes to the sender of a secret who asked for it. */
export function createMailChannel({ mail, helo, addresses }: MailOptions): Channel {
  const transport = createMailTransport(mail, helo);

  async function send(event: NotifyEvent, key: string, signal: AbortSignal): Promise<void> {
    const { kind, address, email, ...rest } = event;
    const to = email === undefined ? undefined : parseMailbox(email);
    // It was checked when the secret was created; the settings may have changed since.
    if (to === undefined || !isAllowedRecipient(to, mail) || !isMailed(kind)) {
      throw new DeliveryError("Nobody may be written to about this. Check SMTP_ALLOW_DOMAINS.", {
        permanent: true,
      });
    }
    const shown = addresses && address !== undefined ? { ...rest, kind, address } : { ...rest, kind };
    await transport.sendMail({
      ...mailText(shown),
      from: { name: "Waxseal", address: mail.from },
      to: { name: "", address: to },
      envelope: { from: mail.from, to: [to] },
      messageId: messageIdOf(key, mail.from),
      // RFC 3834, section 5, and what Exchange looks at: nobody's absence is answered to us.
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
      signal,
    });
  }

  return {
    name: "mail",
    kind: "mail",
    wants: ({ kind, email }) => isMailed(kind) && email !== undefined && isAllowedRecipient(email, mail),
    async deliver(event, key, _attempt, signal) {
      try {
        await send(event, key, signal);
      } catch (error) {
        if (error instanceof DeliveryError) throw error;
        if (signal.aborted) throw new DeliveryError("The mail server did not answer in time.");
        const { message, permanent } = describeMailFailure(error);
        throw new DeliveryError(message, { permanent });
      }
    },
  };
}
