import { parseArgs } from "node:util";
import { parsePublicUrl } from "../config/public-url.ts";
import { ValueError } from "../config/value-error.ts";

export const USAGE =
  "Usage: doctor [--url URL]   Checks this configuration, the service at PUBLIC_URL (or at URL), and Redis.";

/** `url`: where to send requests instead of PUBLIC_URL. A string is what is wrong. */
export function parseArguments(args: readonly string[]): { readonly url: URL | undefined } | string {
  try {
    const { values } = parseArgs({ args: [...args], options: { url: { type: "string" } }, strict: true });
    return { url: values.url === undefined ? undefined : parsePublicUrl(values.url) };
  } catch (error) {
    // Not Node's own message: it repeats what was typed, which may be a password in the wrong place.
    return error instanceof ValueError ? `--url ${error.message}` : "doctor does not know these arguments.";
  }
}
