import { Counter, Gauge, type Registry } from "prom-client";
import type { Outbox, OutboxStats } from "../store/outbox.ts";
import type { Channel, ChannelKind } from "./channel.ts";

/** `refused`: never queued, because too many wait already. `failed`: an attempt. `dead`: for good. */
export type Counted = "delivered" | "failed" | "dead" | "refused";
export type Count = (channel: Channel, outcome: Counted) => void;

type Sums = { readonly kinds: Map<ChannelKind, { queued: number; delayed: number }>; readonly dead: number };

async function sumUp(outbox: Pick<Outbox, "stats">, channels: readonly Channel[]): Promise<Sums> {
  const kinds: Sums["kinds"] = new Map();
  let dead = 0;
  const looks = channels.map(async ({ name, kind }): Promise<[ChannelKind, OutboxStats]> => {
    return [kind, await outbox.stats(name)];
  });
  for (const [kind, stats] of await Promise.all(looks)) {
    const { queued, delayed } = kinds.get(kind) ?? { queued: 0, delayed: 0 };
    kinds.set(kind, { queued: queued + stats.queued, delayed: delayed + stats.delayed });
    dead = stats.dead;
  }
  return { kinds, dead };
}

/** Counters of this process, and gauges of the whole queue, which are absent while the store does not answer. */
export function registerNotifications(
  registry: Registry,
  outbox: Pick<Outbox, "stats">,
  channels: readonly Channel[],
): Count {
  const registers = [registry];
  const labelNames = ["channel"] as const;
  const counter = (name: Counted, help: string) =>
    new Counter({ name: `waxseal_notifications_${name}_total`, help, labelNames, registers });
  const counters: Readonly<Record<Counted, Counter<"channel">>> = {
    delivered: counter("delivered", "Notifications delivered"),
    failed: counter("failed", "Attempts to deliver a notification that failed"),
    dead: counter("dead", "Notifications given up"),
    refused: counter("refused", "Notifications not queued, because too many wait for their destination"),
  };
  for (const { kind } of channels) {
    for (const each of Object.values(counters)) each.inc({ channel: kind }, 0);
  }

  // One look per scrape for all: collectors start in the order in which they are registered.
  let look: Promise<Sums | undefined> = Promise.resolve(undefined);
  new Gauge({
    name: "waxseal_notifications_queued",
    help: "Notifications that wait or are being delivered, in the whole queue",
    labelNames,
    registers,
    async collect() {
      look = sumUp(outbox, channels).catch(() => undefined);
      const sums = await look;
      this.reset();
      for (const [channel, { queued }] of sums?.kinds ?? []) this.set({ channel }, queued);
    },
  });
  new Gauge({
    name: "waxseal_notifications_delayed",
    help: "Notifications that wait for another attempt, in the whole queue",
    labelNames,
    registers,
    async collect() {
      const sums = await look;
      this.reset();
      for (const [channel, { delayed }] of sums?.kinds ?? []) this.set({ channel }, delayed);
    },
  });
  new Gauge({
    name: "waxseal_notifications_dead_letters",
    help: "Notifications given up that are still kept",
    registers,
    async collect() {
      const sums = await look;
      if (sums === undefined) this.remove();
      else this.set(sums.dead);
    },
  });
  return (channel, outcome) => counters[outcome].inc({ channel: channel.kind });
}
