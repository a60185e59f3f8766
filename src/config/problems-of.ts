import assert from "node:assert/strict";
import { ConfigError } from "./config-error.ts";
import { parseConfig } from "./parse-config.ts";

/** For tests: what stands in a PEM file. */
export const pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

/** For tests: a file system of a few files; anything else is not there, as Node would say it. */
export function files(contents: Readonly<Record<string, string>> = {}) {
  return (path: string): string => {
    // Own ones only: generated texts include "toString" and "__proto__".
    const content = Object.hasOwn(contents, path) ? contents[path] : undefined;
    if (content !== undefined) return content;
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
  };
}

/** For tests: what parseConfig objects to; nothing if it does not. */
export function problemsOf(
  environment: Record<string, string | undefined>,
  readFile = files(),
): readonly string[] {
  try {
    parseConfig(environment, readFile);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return [];
}
