import type { RefusalReason } from "../store/store.ts";

/**
 * Errors over HTTP: RFC 9457 problem details. The codes are closed and stable; clients switch on
 * `code`, people read `detail`, and both may rely on the status that belongs to each.
 */
const PROBLEMS = {
  invalid: { status: 400, title: "The request is not valid" },
  unauthorized: { status: 401, title: "The request carries no usable token" },
  "wrong-passphrase": { status: 403, title: "The passphrase is wrong" },
  "cross-site": { status: 403, title: "The request came from another site" },
  refused: { status: 403, title: "Not from here, or not now" },
  "not-found": { status: 404, title: "Not found" },
  conflict: { status: 409, title: "The request contradicts an earlier one" },
  ended: { status: 410, title: "The secret is gone" },
  "too-large": { status: 413, title: "The request is too large" },
  range: { status: 416, title: "The range is outside the content" },
  locked: { status: 423, title: "The secret is locked" },
  limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something went wrong on the server" },
  unavailable: { status: 503, title: "The service is not available" },
  full: { status: 507, title: "The store is full" },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** One wrong field of a request's body. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** What a code adds to the members of RFC 9457. */
export interface ProblemMembers {
  /** `invalid` */
  readonly errors?: readonly FieldError[];
  /** `wrong-passphrase` */
  readonly triesLeft?: number;
  /** `refused` */
  readonly reason?: RefusalReason;
  /** `refused`, RFC 3339: where the reason is `not-yet` */
  readonly notBefore?: string;
  /** `ended` */
  readonly state?: string;
  /** `ended`, RFC 3339 */
  readonly endedAt?: string;
}

export interface ProblemOptions {
  readonly members?: ProblemMembers;
  /** Sent with the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by a handler, sent by the error handler. `detail` names the fix and holds nothing secret. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly members: ProblemMembers;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, { members = {}, headers = {} }: ProblemOptions = {}) {
    super(detail);
    this.code = code;
    this.status = PROBLEMS[code].status;
    this.title = PROBLEMS[code].title;
    this.members = members;
    this.headers = headers;
  }

  /** `type` is a name and not an address: nothing is looked up, so it works behind an air gap. */
  toJSON() {
    return {
      type: `urn:waxseal:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.message,
      code: this.code,
      ...this.members,
    };
  }
}

/** The one 404. Whatever the reason, the same words: it must not tell what exists. */
export function notFound(): Problem {
  return new Problem("not-found", "There is nothing here. Check that you copied the whole link.");
}

export function invalid(detail: string, errors: readonly FieldError[] = []): Problem {
  return new Problem("invalid", detail, errors.length > 0 ? { members: { errors } } : {});
}
