/** What a node of a Cluster answers about keys that are not its own, or not all of them. Nothing was done. */
export type Redirection =
  | { readonly kind: "moved"; readonly node: NodeAddress }
  | { readonly kind: "ask"; readonly node: NodeAddress }
  | { readonly kind: "again" };

/** `host` is empty where it is the answering node's own (since Redis 7). */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** `MOVED 3999 127.0.0.1:6381`, `ASK …` alike, `TRYAGAIN …`; undefined for every other error. */
export function parseRedirection(error: unknown): Redirection | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message.startsWith("TRYAGAIN")) return { kind: "again" };
  // An IPv6 address has colons and no brackets, so the port follows the last one.
  const [, kind, host = "", port] = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(error.message) ?? [];
  if (kind === undefined) return undefined;
  return { kind: kind === "MOVED" ? "moved" : "ask", node: { host, port: Number(port) } };
}
