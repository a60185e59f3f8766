import type { Outcome } from "./rig.ts";

/** For people, a line each. */
export function linesOf(outcome: Outcome): string[] {
  const { kinds, events, once, repeated, twoKeys, lost, invented, arrivals, keys } = outcome;
  const { held, unanswered, leftAlone, endedUnheard, settledAfter } = outcome;
  const rows = Object.entries(kinds).map(([kind, row]) => {
    const times = [...row.times].sort(([a], [b]) => a - b).map(([n, many]) => `${many} × ${n}`);
    return `| ${kind} | ${row.events} | ${times.join(", ")} |`;
  });
  return [
    "| kind | events | delivered: events × times |",
    "|---|---:|---|",
    ...rows,
    "",
    `Three replicas, one killed half-way while ${held} deliveries of all three were not answered. Of ` +
      `${unanswered} requests that had no answer most were made again; of ${leftAlone} not, and of those ` +
      `${endedUnheard} had done what they asked for.`,
    `${events} events: ${once} delivered once, ${repeated.length} again with the same key, ${twoKeys.length} with ` +
      `two keys, ${lost.length} lost, ${invented.length} that never happened.`,
    `${arrivals} arrivals with ${keys} keys, those among them that the receiver answered 503; the last ` +
      `${settledAfter.toFixed(1)} s after the last act.`,
    ...repeated.map((event) => `again: ${event}`),
  ];
}
