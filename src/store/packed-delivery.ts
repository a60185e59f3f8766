import type { Delivery, Taken } from "./outbox.ts";

type Packed = [key: string, to: string, attempt: number, since: number, body: string];

/** As it lies in a queue: one text, which no script has to look into. */
export function packDelivery({ key, to, body }: Delivery, attempt: number, since: number): string {
  return JSON.stringify([key, to, attempt, since, body] satisfies Packed);
}

/** What `packDelivery` made. */
export function unpackDelivery(entry: string, packed: string): Taken {
  const [key, to, attempt, since, body]: Packed = JSON.parse(packed);
  return { entry, key, to, attempt, since, body };
}
