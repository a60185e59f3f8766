import type { SecretId } from "../envelope/tokens.ts";
import type { Outbox } from "../store/outbox.ts";
import type { Store } from "../store/store.ts";
import type { Channel } from "./channel.ts";
import { noticesOf } from "./notices.ts";
import type { NotifyLog } from "./notify-log.ts";

/** How many records are looked at at the same time. */
const AT_ONCE = 4;
/** How many secrets may wait for that. More, and the store's own look at what changed will find them. */
const MAX_WAITING = 10_000;

export interface Teller {
  /**
   * Something happened to this secret: what is to be told of it goes into the outbox. Never throws and
   * never waits; where it comes to nothing, `tellNow` follows from the store's look at what changed.
   */
  tell(id: SecretId): void;
  /** Who opens it, for an `opened` that is told by this process. Nobody else will know. */
  noteOpener(id: SecretId, address: string): void;
  /** The same, done when it resolves. Throws as a store does where it could not be done. */
  tellNow(id: SecretId): Promise<void>;
  /** Resolves when nothing is being looked at any more; what has not begun is left. */
  close(): Promise<void>;
}

export interface TellerOptions {
  readonly read: Store["read"];
  readonly outbox: Pick<Outbox, "add">;
  readonly channels: readonly Channel[];
  /** A secret's name for everybody outside: the audit log's. */
  readonly nameOf: (id: SecretId) => string;
  readonly log: NotifyLog;
  /** Called when there is something new in the outbox. */
  readonly onAdded: (to: readonly string[]) => void;
  /** Called for each that was not kept, because too much waits for its destination. */
  readonly onRefused: (channel: Channel) => void;
}

export function createTeller(options: TellerOptions): Teller {
  const { read, outbox, channels, nameOf, log, onAdded, onRefused } = options;
  /** In the order in which they came; a secret to which something else happens meanwhile is in it once. */
  const waiting = new Set<SecretId>();
  const running = new Map<SecretId, Promise<void>>();
  const openers = new Map<SecretId, string>();
  let closed = false;
  /** Each is said once, until it has gone well again. */
  const said = { failing: false, dropping: false, full: false };

  async function look(id: SecretId, atLeastTheEnd: boolean): Promise<void> {
    const record = await read(id);
    if (record === undefined) return;
    const notices = noticesOf(record, {
      channels,
      secret: nameOf(id),
      now: Date.now(),
      atLeastTheEnd,
      opener: openers.get(id),
    });
    if (notices.length === 0) return;
    const { added, refused } = await outbox.add(notices);
    if (added > 0) onAdded([...new Set(notices.map(({ to }) => to))]);
    for (const { to } of refused) {
      const channel = channels.find(({ name }) => name === to);
      if (channel) onRefused(channel);
    }
    if (refused.length > 0 && !said.full) {
      const to = [...new Set(refused.map((delivery) => delivery.to))];
      log.warn({ channels: to }, "too many notifications wait for a destination; new ones are dropped");
    }
    if (refused.length > 0 || added > 0) said.full = refused.length > 0;
  }

  async function run(id: SecretId): Promise<void> {
    try {
      await look(id, false);
      said.failing = false;
    } catch (error) {
      if (!said.failing) log.warn({ error: log.describe(error) }, "cannot queue notifications; trying again");
      said.failing = true;
    } finally {
      if (!waiting.has(id)) openers.delete(id);
      running.delete(id);
      next();
    }
  }

  function next(): void {
    for (const id of waiting) {
      if (closed || running.size >= AT_ONCE) return;
      // Once it has been read it must be read again; that comes when this one is done.
      if (running.has(id)) continue;
      waiting.delete(id);
      running.set(id, run(id));
    }
    if (waiting.size === 0) said.dropping = false;
  }

  return {
    tell(id) {
      if (closed) return;
      if (waiting.size >= MAX_WAITING) {
        if (!said.dropping) log.warn({}, "more happens than can be queued at once; the rest follows");
        said.dropping = true;
        openers.delete(id);
        return;
      }
      waiting.add(id);
      next();
    },

    noteOpener(id, address) {
      openers.set(id, address);
    },

    tellNow: (id) => look(id, true),

    async close() {
      closed = true;
      await Promise.all(running.values());
    },
  };
}
