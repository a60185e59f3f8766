import type { NotifyEvent } from "./event.ts";

export type ChannelKind = "mail" | "webhook";

/** One destination of notifications. */
export interface Channel {
  /**
   * `[a-z0-9-]`, at most 40 characters, and the same in every replica and after a restart: the queue
   * is kept under it, and events that wait there are given to whoever has a channel of this name.
   */
  readonly name: string;
  /** For metrics. A channel of kind `mail` sees the sender's address in an event, others never do. */
  readonly kind: ChannelKind;
  wants(event: NotifyEvent): boolean;
  /**
   * Resolves when it is delivered; else throws, `DeliveryError` where more is known of the failure.
   * `key` is the idempotency key, the same however often an event comes; `attempt` counts from 1;
   * `signal` aborts when the time for this attempt is up or the process ends.
   */
  deliver(event: NotifyEvent, key: string, attempt: number, signal: AbortSignal): Promise<void>;
}

export interface DeliveryErrorOptions extends ErrorOptions {
  /** No further attempt can help: it is buried at once. False by default. */
  readonly permanent?: boolean;
  /** Seconds that the other side asked us to wait. */
  readonly retryAfter?: number | undefined;
}

/** The message is kept with what is buried, and logged: no address, no label, no id. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  readonly code = "delivery";
  readonly permanent: boolean;
  readonly retryAfter: number | undefined;
  constructor(message: string, { permanent = false, retryAfter, ...options }: DeliveryErrorOptions = {}) {
    super(message, options);
    this.permanent = permanent;
    this.retryAfter = retryAfter;
  }
}
