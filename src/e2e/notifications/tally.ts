import type { Arrival } from "./receiver.ts";

export interface Tally {
  /** What receipts say has happened, by kind. */
  readonly kinds: Readonly<Record<string, Row>>;
  readonly events: number;
  /** Arrived and was accepted once, with one key. */
  readonly once: number;
  /** Accepted more than once, always with the same key. */
  readonly repeated: readonly string[];
  /** Accepted with two keys, so that no receiver can tell that they are one. */
  readonly twoKeys: readonly string[];
  /** Never accepted. */
  readonly lost: readonly string[];
  /** Told, and no receipt knows of it. */
  readonly invented: readonly string[];
  /** One key for two events, of which a receiver would ignore one. */
  readonly sharedKeys: readonly string[];
  readonly arrivals: number;
  readonly keys: number;
}

interface Row {
  readonly events: number;
  /** How many events were accepted how often. */
  readonly times: ReadonlyMap<number, number>;
}

const kindOf = (event: string) => event.slice(0, event.indexOf(" "));

/** Compares what was told with what the receipts say. An arrival that was answered 503 is no delivery. */
export function tally(expected: readonly string[], arrivals: readonly Arrival[]): Tally {
  const accepted = arrivals.filter((arrival) => arrival.accepted);
  const having = (event: string) => accepted.filter((arrival) => arrival.event === event);
  const counted = expected.map((event) => ({ event, times: having(event).length }));
  const keysOf = (event: string) =>
    new Set(arrivals.filter((arrival) => arrival.event === event).map(({ key }) => key)).size;
  const kinds = [...new Set(expected.map(kindOf))].sort().map((kind): [string, Row] => {
    const its = counted.filter(({ event }) => kindOf(event) === kind);
    const times = new Map<number, number>();
    for (const each of its) times.set(each.times, (times.get(each.times) ?? 0) + 1);
    return [kind, { events: its.length, times }];
  });
  const known = new Set(expected);
  const twoKeys = expected.filter((event) => keysOf(event) > 1);
  const events = new Map<string, Set<string>>();
  for (const { key, event } of arrivals) events.set(key, (events.get(key) ?? new Set()).add(event));
  return {
    kinds: Object.fromEntries(kinds),
    events: expected.length,
    once: counted.filter(({ event, times }) => times === 1 && !twoKeys.includes(event)).length,
    repeated: counted
      .filter(({ event, times }) => times > 1 && !twoKeys.includes(event))
      .map(({ event }) => event),
    twoKeys,
    lost: counted.filter(({ times }) => times === 0).map(({ event }) => event),
    invented: [...new Set(arrivals.map(({ event }) => event).filter((event) => !known.has(event)))],
    sharedKeys: [...events].filter(([, told]) => told.size > 1).map(([key]) => key),
    arrivals: arrivals.length,
    keys: events.size,
  };
}

/** What must not be. */
export function faultsOf({ lost, twoKeys, invented, sharedKeys }: Tally): string[] {
  return [
    ...lost.map((event) => `never told: ${event}`),
    ...twoKeys.map((event) => `told with two keys: ${event}`),
    ...invented.map((event) => `told and never happened: ${event}`),
    ...sharedKeys.map((key) => `one key for two events: ${key}`),
  ];
}
