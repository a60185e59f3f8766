import type { StoreBudget } from "../config/config.ts";
import { LARGEST_SHARE } from "../config/kinds.ts";
import { type Info, numberIn } from "./redis-info.ts";
import { BLOB_BLOCK, type NewSecret } from "./store.ts";

/** What one Redis uses of its memory, and from which use on it takes nothing new. */
export interface MemoryUse {
  /** Bytes, counted as Redis counts them for `maxmemory`. */
  readonly used: number;
  /** Undefined where there is neither a limit of Redis' nor one of ours. */
  readonly budget: number | undefined;
}

/** Bytes; undefined where nothing limits it. */
export function budgetOf(maxmemory: number, budget: StoreBudget | undefined): number | undefined {
  if (budget === undefined) return undefined;
  if (!(maxmemory > 0)) return budget.kind === "size" ? budget.bytes : undefined;
  if (budget.kind === "share") return Math.floor(maxmemory * budget.share);
  return Math.min(budget.bytes, Math.floor(maxmemory * LARGEST_SHARE));
}

/** From INFO's section "memory". */
export function memoryUse(info: Info, budget: StoreBudget | undefined): MemoryUse {
  // Buffers for replicas and for the append-only file: Redis leaves them out when it compares with
  // maxmemory (freeMemoryGetNotCountedMemory), and so does whoever wants to know first.
  const elsewhere = Number(info.get("mem_not_counted_for_evict") ?? 0);
  return {
    used: numberIn(info, "used_memory") - elsewhere,
    budget: budgetOf(numberIn(info, "maxmemory"), budget),
  };
}

/**
 * jemalloc gives memory in sizes with four steps to each doubling, so up to a quarter more than was
 * asked for: 66,000 bytes take 81,920.
 */
function allocated(bytes: number): number {
  if (bytes <= 128) return Math.ceil(bytes / 16) * 16;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Bytes that one pending secret takes in Redis, by where they lie. `npm run bench:memory` measures
 * them: of these about two thirds are used at once, and the rest is for tables that grow by doubling.
 */
export const SHARE_COST = 256;
export const DUE_COST = 256;
/** A record has a name, four digests, times and events. */
export const RECORD_COST = 1_024;
/** Each block of an upload is a key of its own, with an entry in two tables. */
const BLOCK_COST = 256;
/** What Redis puts before a string, in bytes, at most. */
const STRING_HEAD = 32;

/** Record and ciphertext. */
export const contentCost = (blobBytes: number) => RECORD_COST + allocated(blobBytes + STRING_HEAD);

/** A short record lies in one piece; one with a long field in it is a table, and that takes as much again. */
const TABLE_COST = 1_024;

/** What rules and sender add to a record. */
export function attachmentCost({ rules, sender }: Pick<NewSecret, "rules" | "sender">): number {
  const texts = [rules, sender].filter((text) => text !== undefined);
  return texts.reduce(
    (sum, text) => sum + allocated(Buffer.byteLength(text) + STRING_HEAD),
    texts.length === 0 ? 0 : TABLE_COST,
  );
}

/** Record and ciphertext, where that comes in parts and is kept in blocks. */
export function uploadCost(blobBytes: number): number {
  const whole = Math.floor(blobBytes / BLOB_BLOCK);
  const rest = blobBytes % BLOB_BLOCK;
  const inBlocks = whole * (BLOCK_COST + allocated(BLOB_BLOCK + STRING_HEAD));
  return RECORD_COST + inBlocks + (rest === 0 ? 0 : BLOCK_COST + allocated(rest + STRING_HEAD));
}
