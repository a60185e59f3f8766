import { StoreFullError, StoreUnavailableError } from "./store.ts";

/**
 * What went wrong with Redis, fit to be logged. An ioredis error carries the command with its
 * arguments, among them shares and digests, and Redis quotes arguments in some messages: neither
 * may reach a log. So this keeps the error's code only: `ECONNREFUSED`, `LOADING`, `READONLY`…
 */
export class RedisFault extends Error {
  override readonly name = "RedisFault";
  readonly code: string;
  constructor(error: unknown) {
    const code = faultCode(error);
    super(`Redis: ${code}`);
    this.code = code;
  }
}

function faultCode(error: unknown): string {
  if (!(error instanceof Error)) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error.message.includes("cluster support disabled")) return "ENOTCLUSTER";
  if (error.name === "ReplyError") return /^-?([A-Z][A-Z0-9]+)\b/.exec(error.message)?.[1] ?? "ERR";
  // A Cluster of which no node could be asked: what the last one said.
  if ("lastNodeError" in error && error.lastNodeError) return faultCode(error.lastNodeError);
  if (error.message === "Command timed out" || error.message.startsWith("Socket timeout")) return "ETIMEDOUT";
  if (error.message.startsWith("Stream isn't writeable")) return "ENOTCONNECTED";
  if (error.message === "Connection is closed.") return "ECONNCLOSED";
  if (error.message.startsWith("All sentinels are unreachable"))
    return /Last error: (WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message) ? "ESENTINELAUTH" : "ESENTINELS";
  if (error.message.startsWith("Cluster isn't ready")) return "ENOTCONNECTED";
  if (error.message.startsWith("Too many Cluster redirections")) return "EREDIRECTIONS";
  return error.name;
}

/** Redis 6.2 wraps a script's error in another one; 7 passes it on. */
const OUT_OF_MEMORY = /^-?OOM |[-: ]OOM command not allowed/;

/** What the store throws instead: the callers know these two, and their messages hold no data. */
export function storeError(error: unknown): StoreFullError | StoreUnavailableError {
  if (error instanceof StoreFullError || error instanceof StoreUnavailableError) return error;
  if (error instanceof Error && OUT_OF_MEMORY.test(error.message)) return new StoreFullError();
  return new StoreUnavailableError({ cause: new RedisFault(error) });
}

/** Awaits a command and translates its failure. */
export async function ask<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (error) {
    throw storeError(error);
  }
}

/** For `within`. */
export const tookTooLong = () => new StoreUnavailableError({ cause: new Error("Redis took too long.") });
