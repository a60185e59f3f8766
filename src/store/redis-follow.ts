import type { SecretId } from "../envelope/tokens.ts";
import { LOOK_LEASE, settleInTurns } from "./looks.ts";
import { BATCH, eraseExpired, lookAt, lookMuchLater, MAX_BATCHES } from "./redis-collect.ts";
import { ask } from "./redis-faults.ts";
import { DUE_KEY, recordKey } from "./redis-keys.ts";
import type { RedisParts } from "./redis-parts.ts";
import { number, text } from "./redis-replies.ts";

/** A look at one secret, which take-due has put off to `date`. */
async function follow(
  parts: RedisParts,
  id: SecretId,
  date: number,
  report: (id: SecretId) => void,
  beforeForget: (id: SecretId) => Promise<void>,
): Promise<void> {
  const { client } = parts;
  const lookIn = (left: number) => ask(client.waxsealPutOffLookBuffer(DUE_KEY, id, date, left));
  const reply = await lookAt(parts, id);
  const kind = text(reply[0]);
  if (kind === "version") return lookMuchLater(parts, DUE_KEY, id);
  if (kind === "expired") {
    // Nobody will be told again that it was this call.
    report(id);
    await eraseExpired(parts, id, reply);
  }
  // Of what nobody was handed there is nothing to tell before it is sealed again.
  if (kind === "claimed") return void (await lookIn(number(reply[1])));
  if (kind !== "missing" && kind !== "unsealed") {
    await beforeForget(id);
    if (kind === "live" || kind === "opened") return void (await lookIn(number(reply[1])));
    const [forgotten] = await ask(client.waxsealForgetSenderBuffer(recordKey(id)));
    if (forgotten !== 1) return;
  }
  await ask(client.zrem(DUE_KEY, id));
}

/**
 * Walks what is due as `collectExpired` does, but takes it first: so the replicas share the work, and
 * what happens to a secret while one looks at it is looked at again.
 */
export async function followEnds(
  parts: RedisParts,
  beforeForget: (id: SecretId) => Promise<void> = async () => {},
): Promise<SecretId[]> {
  const expired: SecretId[] = [];
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const [date, ...names] = await ask(parts.client.waxsealTakeDueBuffer(DUE_KEY, BATCH, LOOK_LEASE));
    const { failures } = await settleInTurns(names, (name) =>
      follow(parts, text(name) as SecretId, number(date), (id) => expired.push(id), beforeForget),
    );
    if (failures.length > 0 && expired.length === 0) throw failures[0];
    if (failures.length > 0 || names.length < BATCH) break;
  }
  return expired;
}
