import { askPage } from "./ask-page.ts";
import { type Check, ok, problem } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

/** What must arrive at the browser, word for word; a proxy may add, and must not take away. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ],
  "cross-origin-opener-policy": ["same-origin"],
  "cross-origin-embedder-policy": ["require-corp"],
  "cross-origin-resource-policy": ["same-origin"],
  "referrer-policy": ["no-referrer"],
  "x-content-type-options": ["nosniff"],
  "x-frame-options": ["DENY"],
  "permissions-policy": ["camera=()"],
  "x-robots-tag": ["noindex"],
  "cache-control": ["no-store"],
};

export const checkHeaders: Check<HttpSubject> = {
  name: "security headers",
  async run({ http }) {
    const { headers } = await askPage(http);
    const changed = Object.entries(EXPECTED)
      .filter(([name, parts]) => !parts.every((part) => String(headers[name] ?? "").includes(part)))
      .map(([name]) => name);
    // A second policy can only forbid more, but 'unsafe-inline' in a single one allows.
    if (/'unsafe-/.test(String(headers["content-security-policy"]))) changed.push("content-security-policy");
    if (changed.length === 0) return [ok("as Waxseal sends them")];
    return [
      problem(
        `on their way ${[...new Set(changed)].join(", ")} went missing or changed. Let the proxy pass on Waxseal's own headers.`,
      ),
    ];
  },
};
