import { after } from "node:test";
import { advanceRedis } from "../testing/advance-redis.ts";
import { connectPatiently, openRedisStore } from "../testing/open-redis-store.ts";
import { startRedis } from "../testing/redis-server.ts";
import { storeContract } from "./contract.ts";
import type { Store } from "./store.ts";

const server = await startRedis();
const ring = await startRedis();
after(() => Promise.all([server.stop(), ring.stop()]));
const [admin, ringAdmin] = [await server.client(), await ring.client()];

for (const separate of [false, true]) {
  storeContract(separate ? "Redis with a keyring of its own" : "Redis", async (limits, followEnds) => {
    await Promise.all([admin.flushall(), ringAdmin.flushall()]);
    const stores: Store[] = [];
    async function another(): Promise<Store> {
      const keyring = separate ? await connectPatiently(ring.port) : undefined;
      const store = await openRedisStore(server.port, { keyring, limits, followEnds });
      stores.push(store);
      return store;
    }
    return {
      store: await another(),
      another,
      async advance(seconds) {
        await Promise.all([advanceRedis(admin, seconds), advanceRedis(ringAdmin, seconds)]);
      },
      async close() {
        await Promise.all(stores.map((store) => store.close()));
      },
    };
  });
}
