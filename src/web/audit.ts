import { fingerprint } from "../audit/fingerprint.ts";
import type { CreateRefusedReason, DeniedReason, SecretEvent } from "../audit/record.ts";
import type { Trail } from "../audit/trail.ts";
import type { SecretId } from "../envelope/tokens.ts";
import { currentRequest } from "./request-log.ts";

/** Writes down what happened to a secret, or what was refused, with the request that caused it. */
export interface Audit {
  (event: SecretEvent, id: SecretId): void;
  (event: "denied", id: SecretId, reason: DeniedReason): void;
  /** There is no secret then. */
  (event: "create-refused", id: undefined, reason: CreateRefusedReason): void;
}

export function createAudit(trail: Pick<Trail, "write">): Audit {
  return (
    event: SecretEvent | "denied" | "create-refused",
    id: SecretId | undefined,
    reason?: DeniedReason | CreateRefusedReason,
  ) => {
    const { requestId, address } = currentRequest() ?? {};
    trail.write({
      audit: event,
      ...(id === undefined ? {} : { secret: fingerprint(id) }),
      ...(reason === undefined ? {} : { reason }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(address === undefined ? {} : { address }),
    } as Parameters<typeof trail.write>[0]);
  };
}
