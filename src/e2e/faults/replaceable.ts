import type { ServerProcess } from "../../testing/server-process.ts";

/** A process that is killed and replaced, as an orchestrator would. */
export interface Replaceable {
  readonly url: () => string;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Another one takes its place. */
  replace(): Promise<void>;
  stop(): Promise<void>;
}

export async function replaceable(start: () => Promise<ServerProcess>): Promise<Replaceable> {
  let current = await start();
  return {
    url: () => current.url,
    kill: () => current.stop(),
    async replace() {
      current = await start();
    },
    stop: () => current.stop(),
  };
}
