import type { Request, Response } from "express";
import type { Logger } from "pino";
import type { PassphraseHash } from "../envelope/keys.ts";
import { StoreFullError, StoreUnavailableError, UploadsFullError } from "../store/store.ts";
import { HasherBusyError } from "./argon2id-pool.ts";
import { isFormToken } from "./csrf.ts";
import { isStoreFailure, logFailure } from "./log-failure.ts";
import type { ShownBytes } from "./page-bytes.ts";
import type { PageDeps } from "./pages.ts";
import { Problem } from "./problem.ts";
import type { RouteDeps } from "./route-deps.ts";
import type { Frame, PageData } from "./views.ts";

/** What the assisted pages share. */
export interface AssistedDeps extends RouteDeps, PageDeps {
  readonly hashPassphrase: PassphraseHash;
  readonly log: Logger;
}

/** The button that sends a form, for what no field is to blame for: sending it again is all there is to do. */
export const SEND = "send";

/** A fault of what was entered, or of what came of sending it: told above the form as it was. */
export class FormError extends Error {
  override readonly name = "FormError";
  readonly field: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(field: string, words: string, status = 400, headers: Readonly<Record<string, string>> = {}) {
    super(words);
    this.field = field;
    this.status = status;
    this.headers = headers;
  }
}

/** Problems with the secret that was named. */
const BLAMES: ReadonlySet<string> = new Set(["ended", "refused"]);

/**
 * What a form can show for an error, with everything that was entered still in it. What the store failed
 * at never reaches the error handler then, and is logged here. `naming`: the field that names a secret,
 * where the form has one, to blame where that has ended or is refused.
 */
export function asFormError(error: unknown, log: Logger, naming = SEND): FormError | undefined {
  if (isStoreFailure(error)) logFailure(log, "warn", error);
  if (error instanceof FormError) return error;
  if (error instanceof Problem && error.code !== "not-found")
    return new FormError(BLAMES.has(error.code) ? naming : SEND, error.message, error.status, error.headers);
  if (error instanceof StoreUnavailableError || error instanceof HasherBusyError) {
    return new FormError(SEND, error.message, 503, { "Retry-After": "2" });
  }
  if (error instanceof UploadsFullError) {
    return new FormError(SEND, error.message, 507, { "Retry-After": String(error.retryAfter) });
  }
  if (error instanceof StoreFullError) return new FormError(SEND, error.message, 507);
  return undefined;
}

export type SendPage = <Name extends keyof PageData>(
  response: Response,
  name: Name,
  data: PageData[Name],
  page: Partial<Frame> & { title: string },
  /** In the order in which the page shows them. */
  shown?: readonly ShownBytes[],
) => void;

/** The part of a pasted address after its #, or all of it where somebody pasted just that. */
export function fragmentOf(pasted: string): string {
  return pasted.slice(pasted.indexOf("#") + 1).trim();
}

/** Throws where the form didn't come from a page that this browser got from us. */
export function checkFormToken(request: Request, token: string): void {
  if (isFormToken(request, token)) return;
  throw new FormError(SEND, "This form was too old, or your browser keeps no cookies. Send it again.", 403);
}
