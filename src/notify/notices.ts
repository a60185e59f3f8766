import { createHash } from "node:crypto";
import type { NotifyKind } from "../config/notify-kinds.ts";
import type { Delivery } from "../store/outbox.ts";
import type { EventKind, RefusalReason, SecretRecord } from "../store/store.ts";
import type { Channel } from "./channel.ts";
import type { NotifyEvent } from "./event.ts";

const DAY = 86_400_000;
/**
 * Milliseconds after which an event is not told any more, unless it is an end that nobody told so far:
 * a day or two less than the outbox remembers that it was told.
 */
export const FRESH = 5 * DAY;

type Told = { readonly kind: NotifyKind; readonly reason?: RefusalReason };

/** Undefined: nobody outside is told. */
const TOLD: Readonly<Record<EventKind, Told | undefined>> = {
  sealed: { kind: "created" },
  opened: { kind: "opened" },
  expired: { kind: "expired" },
  deleted: { kind: "deleted" },
  lost: { kind: "lost" },
  locked: { kind: "locked" },
  unlocked: { kind: "unlocked" },
  "wrong-passphrase": { kind: "wrong-passphrase" },
  "refused-network": { kind: "refused", reason: "network" },
  "refused-country": { kind: "refused", reason: "country" },
  "refused-not-yet": { kind: "refused", reason: "not-yet" },
  "refused-hours": { kind: "refused", reason: "hours" },
  received: undefined,
  visited: undefined,
};

interface Sender {
  readonly email?: string;
  readonly label?: string;
}

/** What was checked when the secret was created. Of another version's, what can be read of it. */
function parseSender(text: string | undefined): Sender {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    return {
      ...("email" in value && typeof value.email === "string" ? { email: value.email } : {}),
      ...("label" in value && typeof value.label === "string" ? { label: value.label } : {}),
    };
  } catch {
    return {};
  }
}

/** The same for an event and a destination on every replica and at any time; opaque to whoever gets it. */
function keyOf(secret: string, kind: EventKind, at: number, to: string): string {
  const digest = createHash("sha256").update(`waxseal/1 notify\0${secret}\0${kind}\0${at}\0${to}`).digest();
  return `msg_${digest.subarray(0, 18).toString("base64url")}`;
}

export interface NoticeOptions {
  readonly channels: readonly Channel[];
  /** The secret's name for everybody outside. */
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Its end is told however long ago it was. */
  readonly atLeastTheEnd: boolean;
  /** Who opened it, where that is known and may be told. */
  readonly opener?: string | undefined;
}

/**
 * Everything that anybody may be told of a secret so far, as deliveries: what was told before has the
 * same keys as then. Nothing of an upload that never became a secret.
 */
export function noticesOf(record: SecretRecord, options: NoticeOptions): Delivery[] {
  const { channels, secret, now, atLeastTheEnd, opener } = options;
  if (record.events[0]?.kind !== "sealed") return [];
  const { email, label } = parseSender(record.sender);
  return record.events.flatMap(({ at, kind }) => {
    const isEnd = kind === record.state;
    const told = TOLD[kind];
    if (told === undefined || (now - at > FRESH && !(isEnd && atLeastTheEnd))) return [];
    const event: NotifyEvent = {
      ...told,
      at,
      secret,
      ...(label === undefined ? {} : { label }),
      ...(kind === "opened" && opener !== undefined ? { address: opener } : {}),
    };
    return channels.flatMap((channel) => {
      const its = channel.kind === "mail" && email !== undefined ? { ...event, email } : event;
      if (!channel.wants(its)) return [];
      return [{ key: keyOf(secret, kind, at, channel.name), to: channel.name, body: JSON.stringify(its) }];
    });
  });
}
