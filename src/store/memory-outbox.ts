import { type Delivery, OUTBOX_LIMITS, type Outbox, type OutboxLimits, type Taken } from "./outbox.ts";

export interface MemoryOutboxOptions {
  readonly limits?: OutboxLimits;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

/** `due`: from when on it may be taken; `taken`: somebody has it until then. */
interface Entry {
  readonly item: Taken;
  readonly due: number;
  readonly state: "queued" | "taken" | "delayed";
}

/** For the embedded store: in this process, and gone with it, as the secrets are. */
export function createMemoryOutbox(options: MemoryOutboxOptions = {}): Outbox {
  const { limits = OUTBOX_LIMITS, clock = Date.now } = options;
  /** By destination, then by entry; oldest first. */
  const queues = new Map<string, Map<string, Entry>>();
  /** Key to when it may be forgotten; oldest first. */
  const seen = new Map<string, number>();
  const dead: { readonly item: Taken; readonly reason: string; readonly until: number }[] = [];
  let entries = 0;

  function queueOf(to: string): Map<string, Entry> {
    const queue = queues.get(to) ?? new Map<string, Entry>();
    queues.set(to, queue);
    return queue;
  }

  function forget(): void {
    const now = clock();
    for (const [key, until] of seen) {
      if (until > now) break;
      seen.delete(key);
    }
    while (dead[0] && (dead[0].until <= now || dead.length > limits.maxDead)) dead.shift();
  }

  return {
    async add(deliveries) {
      forget();
      const now = clock();
      let added = 0;
      const refused: Delivery[] = [];
      for (const delivery of deliveries) {
        const { key, to, body } = delivery;
        const queue = queueOf(to);
        if (seen.has(key)) continue;
        if (queue.size >= limits.maxQueued) {
          refused.push(delivery);
          continue;
        }
        const entry = `${++entries}`;
        queue.set(entry, {
          item: { entry, key, to, body, attempt: 1, since: now },
          due: now,
          state: "queued",
        });
        seen.set(key, now + limits.remembered);
        added++;
      }
      return { added, refused };
    },

    async take(to, count) {
      const [now, queue] = [clock(), queueOf(to)];
      const due = [...queue.values()].filter((entry) => entry.due <= now);
      const first = due.filter(({ state }) => state === "taken");
      const others = due.filter(({ state }) => state !== "taken");
      const given = [...first, ...others].slice(0, count).map(({ item }) => item);
      for (const item of given) {
        queue.set(item.entry, { item, due: now + limits.idle, state: "taken" });
      }
      return given;
    },

    async done({ to, entry }) {
      queueOf(to).delete(entry);
    },

    async later(taken, delay, attempt) {
      const queue = queueOf(taken.to);
      if (!queue.delete(taken.entry)) return;
      const entry = `${++entries}`;
      queue.set(entry, { item: { ...taken, entry, attempt }, due: clock() + delay, state: "delayed" });
    },

    async bury(item, reason) {
      if (!queueOf(item.to).delete(item.entry)) return;
      dead.push({ item, reason, until: clock() + limits.kept });
      forget();
    },

    async stats(to) {
      forget();
      const states = [...queueOf(to).values()].map(({ state }) => state);
      const delayed = states.filter((state) => state === "delayed").length;
      return { queued: states.length - delayed, delayed, dead: dead.length };
    },
  };
}
