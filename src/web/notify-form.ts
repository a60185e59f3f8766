import type { MailConfig } from "../config/config.ts";
import { MAX_LABEL } from "../notify/words.ts";
import { FormError } from "./form-page.ts";
import { formatSender, notifyErrors, notifySchema } from "./notify-field.ts";

/** What the form's two fields ask for, as the store keeps it; undefined where nobody is to be told. */
export function parseEnteredSender(
  email: string,
  label: string,
  mail: MailConfig | undefined,
): string | undefined {
  if (email === "" && label === "") return undefined;
  const { success, data, error } = notifySchema.safeParse({ email, ...(label === "" ? {} : { label }) });
  if (!success) {
    if (error.issues.every(({ path }) => path[0] === "label"))
      throw new FormError("notify-label", `Call it by at most ${MAX_LABEL} characters on one line`);
    throw new FormError("notify-email", "Enter one plain e-mail address, such as ann@example.com");
  }
  const [wrong] = notifyErrors(data, mail);
  // Without a mail server the page has no such fields to lead to.
  if (wrong) throw new FormError(mail === undefined ? "secret" : "notify-email", wrong.message);
  return formatSender(data);
}
