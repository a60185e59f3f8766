import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "express";

/** The prefix makes browsers take it only over a secure connection, for this host alone (RFC 6265bis). */
const COOKIE = "__Host-waxseal-form";
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

function tokenFrom(request: Request): string | undefined {
  for (const pair of (request.get("Cookie") ?? "").split(";")) {
    const [name, value = ""] = pair.trim().split("=", 2);
    if (name === COOKIE && TOKEN.test(value)) return value;
  }
  return undefined;
}

/**
 * The token that a form on this page has to carry. It goes to the browser twice, as a cookie that
 * another site can neither read nor set, and inside the form.
 */
export function issueFormToken(request: Request, response: Response): string {
  const token = tokenFrom(request) ?? randomBytes(32).toString("base64url");
  response.cookie(COOKIE, token, { secure: true, httpOnly: true, sameSite: "strict", path: "/" });
  return token;
}

export function isFormToken(request: Request, sent: string): boolean {
  const token = tokenFrom(request);
  return token !== undefined && TOKEN.test(sent) && timingSafeEqual(Buffer.from(sent), Buffer.from(token));
}
