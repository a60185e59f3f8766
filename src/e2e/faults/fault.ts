import type { Algorithm, AlgorithmName } from "./algorithms.ts";
import type { App, Client, Secret } from "./client.ts";

/** What must not happen, by the names of the table's columns. */
export type Failure = "read twice" | "lost";

/** Everything that one algorithm needs to be put to the test, used for several episodes. */
export interface Stage {
  /** Some app that is up when an episode is over. */
  readonly app: App;
  /** Uses up the secrets as the fault has it, and heals everything. `number` counts from 0. */
  episode(client: Client, secrets: readonly Secret[], number: number): Promise<void>;
  close(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** Which programs must fail, and how: where they don't, the fault was none and proves nothing. */
  readonly mustFail: Readonly<Partial<Record<AlgorithmName, readonly Failure[]>>>;
  /** How many it takes to be thorough, and how many to see that nothing is broken. */
  readonly episodes: { readonly full: number; readonly short: number };
  setUp(algorithm: Algorithm): Promise<Stage>;
}

/** All of them at once. */
export function each<T, R>(items: readonly T[], act: (item: T, index: number) => Promise<R>): Promise<R[]> {
  return Promise.all(items.map(act));
}

/** Two thirds and one third. */
export function divide<T>(items: readonly T[]): [T[], T[]] {
  const at = Math.ceil((items.length * 2) / 3);
  return [items.slice(0, at), items.slice(at)];
}
