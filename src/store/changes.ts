import type { SecretId } from "../envelope/tokens.ts";

/**
 * Word from replica to replica that a secret's record changed, so that nobody who looks on has to ask
 * again and again. Hints only: one may get lost, come twice or come for nothing, so whoever looks on
 * reads the record, and looks now and then all the same.
 */
export interface Changes {
  /** Never throws and never waits; where word can't be passed on now, it is dropped. */
  publish(id: SecretId): void;
  /** Calls back on each hint about this secret, from whatever replica; returns how to stop. */
  watch(id: SecretId, onChange: () => void): () => void;
  close(): Promise<void>;
}
