import type { Logger } from "pino";
import { StoreFullError, StoreUnavailableError } from "../store/store.ts";
import { describeError } from "./log-error.ts";
import { currentRequest } from "./request-log.ts";

/** The failures that a client is told about and an operator has to mend. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof StoreUnavailableError || error instanceof StoreFullError;
}

/** `warn` where it was foreseen. */
export function logFailure(log: Logger, level: "warn" | "error", error: unknown): void {
  log[level]({ requestId: currentRequest()?.requestId, error: describeError(error) }, "request failed");
}
