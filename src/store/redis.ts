import { type Cluster, Redis } from "ioredis";
import { digestClaim } from "./digests.ts";
import { createKeyring } from "./keyring.ts";
import { asOf, isUnended } from "./record.ts";
import { readBlob } from "./redis-blob.ts";
import { releaseUpload } from "./redis-budget.ts";
import { checkRedis } from "./redis-check.ts";
import { collectAbandoned, collectExpired } from "./redis-collect.ts";
import { createSecret } from "./redis-create.ts";
import { ask } from "./redis-faults.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { openSecret } from "./redis-open.ts";
import { freeBlocks, loadRecord, loseSecret, NO_ATTEMPT, type RedisParts } from "./redis-parts.ts";
import { ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";
import { sealUpload, writeBlob } from "./redis-upload.ts";
import { assertSize, assertTtl, type Store, type StoreLimits, UPLOAD_LIMITS } from "./store.ts";
import { createPlainWriter, createWaitPool, tooFewReplicas } from "./wait-pool.ts";

export interface RedisStoreOptions {
  /** From `connectRedis`, or a Cluster. The store closes it. */
  readonly client: Redis | Cluster;
  /** A second Redis that keeps the shares, in memory only. By default the first one keeps them. */
  readonly keyring?: Redis | undefined;
  readonly limits: StoreLimits;
  /**
   * How many replicas must have a create, an open or a delete before it is answered: every replica
   * that may be promoted. 0, the default, is right where there is no failover.
   */
  readonly waitReplicas?: number;
  /** Milliseconds until the answer is "too few replicas". */
  readonly waitTimeout?: number;
}

async function closeClient(client: Redis | Cluster): Promise<void> {
  // QUIT lets what is on its way be answered. Where nobody answers, there is nothing to wait for.
  await client.quit().catch(() => client.disconnect());
}

/** The store on Redis. Time is Redis' own throughout, so replicas of this process need not agree on it. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, limits, waitReplicas = 0, waitTimeout = 500 } = options;
  const scripts = loadScripts();
  defineScripts(client, scripts);

  function createWriter() {
    if (waitReplicas === 0) return createPlainWriter(client);
    if (client instanceof Redis) {
      return createWaitPool(client, scripts, { replicas: waitReplicas, timeout: waitTimeout });
    }
    throw new RangeError("Waiting for replicas does not work with Redis Cluster. Set waitReplicas to 0.");
  }

  const parts: RedisParts = {
    client,
    keyring: createKeyring(options.keyring ?? client),
    writer: createWriter(),
    limits,
    uploads: limits.uploads ?? UPLOAD_LIMITS,
    retention: limits.retention * 1000,
  };
  const { keyring, writer, retention } = parts;

  return {
    check: () => checkRedis(client, options.keyring, waitReplicas),

    async ping() {
      await Promise.all([ask(client.ping()), options.keyring && ask(options.keyring.ping())]);
    },

    async create(secret) {
      assertTtl(secret.ttl, limits.maxTtl);
      assertSize(secret);
      return createSecret(parts, secret);
    },

    writeBlob: (id, offset, bytes) => writeBlob(parts, id, offset, bytes),

    sealUpload: (id) => sealUpload(parts, id),

    async read(id) {
      let stored = await loadRecord(parts, id);
      if (stored && isUnended(stored.facts.state) && stored.now < stored.facts.expiresAt) {
        if (!stored.hasBlob || !(await keyring.has(id, stored.shareName))) {
          await loseSecret(parts, id, stored.shareName, NO_ATTEMPT);
          stored = await loadRecord(parts, id);
        }
      }
      return stored && asOf(stored.facts, stored.now, limits.passphraseTries);
    },

    readBlob: (id, start, end) => readBlob(parts, id, start, end),

    open: (request) => openSecret(parts, request),

    async acknowledge(id, claim) {
      const reply = await ask(
        client.waxsealAcknowledgeSecretBuffer(recordKey(id), blobKey(id), digestClaim(claim)),
      );
      const kind = kindOf(reply);
      if (kind === "missing") return MISSING;
      if (kind === "refused") return { kind };
      await keyring.drop(id, text(reply[1]));
      await freeBlocks(parts, id, number(reply[2]));
      return { kind: "acknowledged" };
    },

    async delete(id) {
      const { value: reply, replicated } = await writer.run((connection) =>
        connection.waxsealDeleteSecretBuffer(recordKey(id), blobKey(id), retention),
      );
      const kind = kindOf(reply);
      if (kind === "missing") return MISSING;
      await keyring.drop(id, text(reply[1]));
      await freeBlocks(parts, id, number(reply[3]));
      if (!replicated) throw tooFewReplicas();
      if (kind === "ended") return ended(reply[4], reply[2]);
      await quietly(client.zrem(DUE_KEY, id), releaseUpload(parts, id, text(reply[1])));
      return { kind: "deleted", first: reply[4] === 1, endedAt: number(reply[2]) };
    },

    async unlock(id) {
      const reply = await ask(client.waxsealUnlockSecretBuffer(recordKey(id)));
      const kind = kindOf(reply);
      if (kind === "missing") return MISSING;
      if (kind === "ended") return ended(reply[1], reply[2]);
      return { kind: "unlocked", triesLeft: limits.passphraseTries };
    },

    collectExpired: () => collectExpired(parts),

    collectAbandoned: () => collectAbandoned(parts),

    countPending: () => ask(client.zcard(DUE_KEY)),

    async close() {
      writer.close();
      await Promise.all([closeClient(client), options.keyring && closeClient(options.keyring)]);
    },
  };
}
