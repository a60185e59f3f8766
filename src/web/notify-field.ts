import { z } from "zod";
import type { MailConfig } from "../config/config.ts";
import { parseMailbox } from "../config/smtp.ts";
import { isAllowedRecipient } from "../notify/recipient.ts";
import { MAX_LABEL } from "../notify/words.ts";
import { field, optionalField } from "./fields.ts";
import type { FieldError } from "./problem.ts";

/** Who is told by mail what becomes of a secret, and what it is called there. */
export interface Notify {
  readonly email: string;
  readonly label?: string | undefined;
}

function parseLabel(value: unknown): string | undefined {
  // Control characters, line breaks, and halves of characters.
  if (typeof value !== "string" || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)) return undefined;
  const { length } = [...value];
  return length > 0 && length <= MAX_LABEL ? value : undefined;
}

/** The member `notify` of a create. */
export const notifySchema = z.strictObject(
  {
    email: field(
      (value) => (typeof value === "string" ? parseMailbox(value) : undefined),
      "Must be one plain e-mail address, such as ann@example.com.",
    ),
    label: optionalField(parseLabel, `Must be 1 to ${MAX_LABEL} characters on one line.`),
  },
  {
    error: ({ code }) =>
      code === "invalid_type" ? "Must be an object with email and perhaps label." : undefined,
  },
);

/** Of domains that are named to somebody who tried another one. */
const MAX_NAMED = 5;

/** What of it this server can't do. */
export function notifyErrors({ email }: Notify, mail: MailConfig | undefined): FieldError[] {
  if (mail === undefined) return [{ field: "notify", message: "This server sends no mail. Leave it out." }];
  if (isAllowedRecipient(email, mail)) return [];
  const named = mail.domains !== "any" && mail.domains.length <= MAX_NAMED ? mail.domains.join(", ") : "";
  const where = named === "" ? "in certain domains, and not in this one" : `at ${named}`;
  return [{ field: "notify.email", message: `This server writes only to addresses ${where}.` }];
}

/** As the store keeps it. */
export function formatSender({ email, label }: Notify): string {
  return JSON.stringify({ email, label });
}
