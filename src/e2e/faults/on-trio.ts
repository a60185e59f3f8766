import type { TcpProxy } from "../../testing/tcp-proxy.ts";
import type { Algorithm, Settings } from "./algorithms.ts";
import type { App, Client, Secret } from "./client.ts";
import type { Stage } from "./fault.ts";
import { type Replaceable, replaceable } from "./replaceable.ts";
import { startTrio, type Trio } from "./trio.ts";

/** An app with a line of its own to whoever is master. */
export interface TrioApp extends Replaceable {
  readonly line: TcpProxy;
}

export interface OnTrio {
  readonly trio: Trio;
  readonly apps: readonly TrioApp[];
  readonly app: App;
  readonly line: TcpProxy;
}

/** One app or several on a master with two replicas, both of which may be promoted. */
export async function onTrio(
  algorithm: Algorithm,
  episode: (stage: OnTrio, client: Client, secrets: readonly Secret[], number: number) => Promise<void>,
  { count = 1, settings = {} }: { readonly count?: number; readonly settings?: Settings } = {},
): Promise<Stage> {
  const trio = await startTrio();
  const startApp = async (): Promise<TrioApp> => {
    const line = await trio.openLine();
    const start = () => algorithm.start(`redis://127.0.0.1:${line.port}`, 2, settings);
    return { ...(await replaceable(start)), line };
  };
  const first = await startApp();
  const apps = [first, ...(await Promise.all(Array.from({ length: count - 1 }, startApp)))];
  const stage: OnTrio = { trio, apps, app: first.url, line: first.line };
  return {
    app: first.url,
    episode: (client, secrets, number) => episode(stage, client, secrets, number),
    async close() {
      await Promise.all(apps.map((app) => app.stop()));
      await trio.close();
    },
  };
}
