import { until } from "../testing/until.ts";
import type { Channel } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";
import type { NotifyLog } from "./notify-log.ts";

/** What a channel of a test was asked to deliver. */
export interface Asked {
  readonly event: NotifyEvent;
  readonly key: string;
  readonly attempt: number;
}

export interface TestChannel extends Channel {
  readonly asked: readonly Asked[];
  /** Resolves when it has been asked so often in all. */
  hears(count: number): Promise<void>;
}

/** A channel that wants everything, and does with it what the test says; by default it takes it. */
export function createTestChannel(
  fields: Partial<Channel> = {},
  receive: (asked: Asked, signal: AbortSignal) => Promise<void> = async () => {},
): TestChannel {
  const asked: Asked[] = [];
  return {
    name: "test",
    kind: "webhook",
    wants: () => true,
    ...fields,
    asked,
    async deliver(event, key, attempt, signal) {
      const one = { event, key, attempt };
      asked.push(one);
      await receive(one, signal);
    },
    hears: (count) => until(() => asked.length >= count),
  };
}

export interface TestLog extends NotifyLog {
  /** Level, message and fields of all that was said. */
  readonly lines: readonly { level: string; message: string; fields: object }[];
}

export function createTestLog(): TestLog {
  const lines: { level: string; message: string; fields: object }[] = [];
  return {
    lines,
    info: (fields, message) => void lines.push({ level: "info", message, fields }),
    warn: (fields, message) => void lines.push({ level: "warn", message, fields }),
    describe: (error) => ({ name: error instanceof Error ? error.name : typeof error }),
  };
}
