import type { Config } from "../config/config.ts";
import { type StoreLimits, UPLOAD_LIMITS } from "./store.ts";

/** What an operator decides about a store, as the store takes it. */
export function storeLimits(config: Config): StoreLimits {
  return { ...config, uploads: { ...UPLOAD_LIMITS, maxBytes: config.uploadsMaxBytes } };
}
