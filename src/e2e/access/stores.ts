import { openRedisStore } from "../../testing/open-redis-store.ts";
import { startRedis } from "../../testing/redis-server.ts";
import { createAccessApp, type Outcome, type Plan, refuseMany } from "./refusals.ts";

const LIMITS = { retention: 10_000, passphraseTries: 10, redeliveryWindow: 30, maxTtl: 10_000 };

async function onRedis(plan: Plan, withKeyring: boolean): Promise<Outcome[]> {
  const redis = await startRedis();
  const keyring = withKeyring ? await startRedis() : undefined;
  try {
    const shares = await keyring?.client();
    const store = await openRedisStore(redis.port, {
      limits: LIMITS,
      ...(shares ? { keyring: shares } : {}),
    });
    try {
      return await refuseMany(createAccessApp(store), plan);
    } finally {
      await store.close();
    }
  } finally {
    await redis.stop();
    await keyring?.stop();
  }
}

/** Each kind of store that there is, with the attempts made against it. */
export const STORES: Readonly<Record<string, (plan: Plan) => Promise<Outcome[]>>> = {
  embedded: (plan) => refuseMany(createAccessApp(), plan),
  Redis: (plan) => onRedis(plan, false),
  "Redis with a keyring": (plan) => onRedis(plan, true),
};
