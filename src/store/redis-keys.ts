import type { SecretId } from "../envelope/tokens.ts";

/**
 * Keys in Redis. The braces are a Cluster hash tag: record and ciphertext of one secret lie in one
 * slot, so that one script may change both. What else the product keeps in Redis starts with `ws:` too.
 */
export const recordKey = (id: SecretId) => `ws:{${id}}:record`;
export const blobKey = (id: SecretId) => `ws:{${id}}:blob`;
/** Where a ciphertext came in pieces: one key for each `BLOB_BLOCK` bytes of it. The scripts know the name too. */
export const blockKey = (id: SecretId, index: number) => `${blobKey(id)}:${index}`;

/**
 * The share's key is named by the create that wrote it, and the record says which one counts. So two
 * creates of one id never touch each other's share, and one that is refused can remove its own.
 */
export const shareKey = (id: SecretId, name: string) => `ws:{${id}}:share:${name}`;

/**
 * A sorted set: the ids of secrets that are sealed or locked, by the time they fall due; and, where ends
 * are followed, of those that have ended and whose end may not have been told.
 */
export const DUE_KEY = "ws:due";

/**
 * Unfinished uploads: a sorted set of them by when to look whether they were given up, and a hash of
 * their declared sizes with the sum as `total`.
 */
export const UPLOADS_KEY = "ws:{uploads}:due";
export const UPLOAD_SIZES_KEY = "ws:{uploads}:sizes";

/** Of the audit trail: a hash of each chain's last anchor, and a sorted set of chains by when it came. */
export const ANCHORS_KEY = "ws:{audit}:anchors";
export const ANCHORED_KEY = "ws:{audit}:anchored";

/** Written to a node of a Cluster for what stands before it in the node's history. See cluster-wait-pool.ts. */
export const fenceKey = (number: number) => `ws:fence:${number}`;

/**
 * Notifications: for each destination a stream, and a sorted set of what waits for another attempt; a
 * stream of dead letters; and a mark for each key that was added.
 */
export const queueKey = (to: string) => `ws:{notify}:queue:${to}`;
export const delayedKey = (to: string) => `ws:{notify}:delayed:${to}`;
export const seenKey = (key: string) => `ws:{notify}:seen:${key}`;
export const DEAD_KEY = "ws:{notify}:dead";

/** Where replicas tell each other that a record changed. The client puts its prefix before keys, not before channels. */
export const changesChannel = (keyPrefix: string) => `${keyPrefix}ws:changed`;
