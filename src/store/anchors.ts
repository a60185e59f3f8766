/** How far a chain of audit lines had come: what is kept elsewhere can't be written anew together with the log. */
export interface Anchor {
  readonly chain: string;
  /** The number of a line. */
  readonly seq: number;
  /** Of that line: SHA-256, as 64 hexadecimal digits. */
  readonly hash: string;
  /** When it was kept: RFC 3339, UTC, by the store's clock. */
  readonly at: string;
}

/** The last anchor of each chain, of the latest `MAX_ANCHORS` chains. */
export interface Anchors {
  /** An anchor never goes back: one of an earlier line is not kept. Throws StoreUnavailableError. */
  keep(anchor: Omit<Anchor, "at">): Promise<void>;
  /** Throws StoreUnavailableError. */
  list(): Promise<readonly Anchor[]>;
}

/** A restart makes a new chain. About 150 bytes of Redis each, so 600 KB at most. */
export const MAX_ANCHORS = 4096;
