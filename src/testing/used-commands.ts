import type { Redis } from "ioredis";

/** Which commands servers were asked to run while it counted, by the app and by scripts alike. */
export interface UsedCommands {
  /** Counts from now on. Whoever asks something else of these servers stops the count before. */
  start(servers: readonly Redis[]): Promise<void>;
  stop(): Promise<void>;
  names(): ReadonlySet<string>;
  /** Those that an ACL refused. */
  refused(): ReadonlySet<string>;
  /** Whether this one was used by now. */
  has(name: string): Promise<boolean>;
}

/** What servers ask each other, in which form a replica is told what its master did, and what is asked here. An app that sent them would be refused. */
const OF_OTHERS = new Set(["psync", "replconf", "multi", "exec", "pexpireat", "acl|log"]);

async function countCalls(server: Redis): Promise<Map<string, number>> {
  const lines = (await server.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map([...lines].map(([, name = "", calls]) => [name, Number(calls)]));
}

/** Each entry is a list of names and values. */
async function readRefused(server: Redis): Promise<string[]> {
  const entries = (await server.call("ACL", "LOG")) as unknown[][];
  return entries.map((entry) => {
    const flat = Array.isArray(entry) ? entry : Object.entries(entry).flat();
    return String(flat[flat.indexOf("object") + 1]);
  });
}

export function createUsedCommands(): UsedCommands {
  const names = new Set<string>();
  const refused = new Set<string>();
  let counting: { readonly server: Redis; readonly before: Map<string, number>; looks: number }[] = [];

  async function look(): Promise<void> {
    for (const entry of counting) {
      entry.looks++;
      for (const [name, calls] of await countCalls(entry.server)) {
        // Looking is an INFO itself.
        const own = name === "info" ? entry.looks : 0;
        if (calls - (entry.before.get(name) ?? 0) > own && !OF_OTHERS.has(name)) names.add(name);
      }
      for (const name of await readRefused(entry.server)) refused.add(name);
    }
  }

  return {
    async start(servers) {
      counting = await Promise.all(
        servers.map(async (server) => {
          await server.call("ACL", "LOG", "RESET");
          return { server, before: await countCalls(server), looks: 0 };
        }),
      );
    },
    async stop() {
      await look();
      counting = [];
    },
    names: () => names,
    refused: () => refused,
    async has(name) {
      await look();
      return names.has(name);
    },
  };
}
