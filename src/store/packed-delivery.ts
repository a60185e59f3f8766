import type { Delivery, Taken } from "./outbox.ts";

type Packed = [key: string, to: string, attempt: number, since: number, body: string];

/** As it lies in a queue: one text, which no script has to look into. */
export function packDelivery({ key, to, body }: Delivery, attempt: number, since: number): string {
  return JSON.stringify([key, to, attempt, since, body] satisfies Packed);
}

/**
 * What `packDelivery` made. What it can't have made is given as it is, for whoever delivers to find
 * unreadable and bury in the end: it must not keep others from being taken.
 */
export function unpackDelivery(to: string, entry: string, packed: string): Taken {
  try {
    const [key, its, attempt, since, body]: Packed = JSON.parse(packed);
    if (typeof body === "string") return { entry, key, to: its, attempt, since, body };
  } catch {
    // As what is another thing than ours.
  }
  return { entry, key: "", to, attempt: 1, since: Date.now(), body: packed };
}
