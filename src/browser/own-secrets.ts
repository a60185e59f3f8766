import type { SecretId } from "../envelope/tokens.ts";

const KEY = "waxseal.own";
const REMEMBERED = 50;

/**
 * The public ids of secrets made in this browser, so that their maker is asked before opening one.
 * An id opens nothing. Where storage is off, nobody is asked.
 */
function read(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

function write(ids: readonly string[]): void {
  try {
    if (ids.length > 0) localStorage.setItem(KEY, JSON.stringify(ids));
    else localStorage.removeItem(KEY);
  } catch {
    // Private windows and blocked storage: go on without.
  }
}

export function rememberOwn(id: SecretId): void {
  write([id, ...read()].slice(0, REMEMBERED));
}

export function isOwn(id: SecretId): boolean {
  return read().includes(id);
}

export function forgetOwn(id: SecretId): void {
  write(read().filter((known) => known !== id));
}
