import { type Cluster, Redis, ReplyError } from "ioredis";
import type { StoreBudget } from "../config/config.ts";
import { createClusterWaitPool } from "./cluster-wait-pool.ts";
import { digestClaim } from "./digests.ts";
import { createKeyring } from "./keyring.ts";
import { asOf, isUnended } from "./record.ts";
import { createAdmission } from "./redis-admission.ts";
import { readBlob } from "./redis-blob.ts";
import { releaseUpload } from "./redis-budget.ts";
import { checkRedis } from "./redis-check.ts";
import { collectAbandoned, collectExpired } from "./redis-collect.ts";
import { createSecret } from "./redis-create.ts";
import { createDueIndex } from "./redis-due.ts";
import { ask, storeError } from "./redis-faults.ts";
import { followEnds } from "./redis-follow.ts";
import { blobKey, DUE_KEY, recordKey } from "./redis-keys.ts";
import { openSecret } from "./redis-open.ts";
import { freeBlocks, loadRecord, loseSecret, NO_ATTEMPT, type RedisParts } from "./redis-parts.ts";
import { ended, kindOf, MISSING, number, quietly, text } from "./redis-replies.ts";
import { defineScripts, loadScripts } from "./redis-scripts.ts";
import { sealUpload, writeBlob } from "./redis-upload.ts";
import {
  assertAttachments,
  assertSize,
  assertTtl,
  type Store,
  type StoreLimits,
  UPLOAD_LIMITS,
} from "./store.ts";
import { createUploadRooms } from "./upload-rooms.ts";
import { createPlainWriter, createWaitPool, tooFewReplicas, type Writer } from "./wait-pool.ts";
import { createWithdrawals } from "./withdrawals.ts";

export interface RedisStoreOptions {
  /** From `connectRedis`, or a Cluster. The store closes it. */
  readonly client: Redis | Cluster;
  /** A second Redis that keeps the shares, in memory only. By default the first one keeps them. */
  readonly keyring?: Redis | Cluster | undefined;
  readonly limits: StoreLimits;
  /** For each Redis. Without one, a secret is refused when Redis itself has no memory left. */
  readonly budget?: StoreBudget | undefined;
  /**
   * How many replicas must have a create, an open or a delete before it is answered: every replica
   * that may be promoted. 0, the default, is right where there is no failover.
   */
  readonly waitReplicas?: number;
  /** The same for a keyring's Redis of its own: how many must have a share before its create is answered. */
  readonly keyringWaitReplicas?: number;
  /** Milliseconds until the answer is "too few replicas". */
  readonly waitTimeout?: number;
  /**
   * Whether a secret that has ended, in whatever way, stays in the due index until somebody was told: see
   * `collectExpired`. Its life is the same without, and each act costs one command less.
   */
  readonly followEnds?: boolean;
}

async function closeClient(client: Redis | Cluster): Promise<void> {
  // QUIT lets what is on its way be answered. Where nobody answers, there is nothing to wait for.
  await client.quit().catch(() => client.disconnect());
}

/** The store on Redis. Time is Redis' own throughout, so replicas of this process need not agree on it. */
export function createRedisStore(options: RedisStoreOptions): Store {
  const { client, limits, waitReplicas = 0, keyringWaitReplicas = 0, waitTimeout = 500 } = options;
  const scripts = loadScripts();
  defineScripts(client, scripts);

  function createWriter(redis: Redis | Cluster, replicas: number): Writer<Redis | Cluster> {
    if (replicas === 0) return createPlainWriter(redis);
    const wait = { replicas, timeout: waitTimeout };
    return redis instanceof Redis
      ? createWaitPool(redis, scripts, wait)
      : createClusterWaitPool(redis, scripts, wait);
  }
  const ring = options.keyring ?? client;
  const keyring = createKeyring(ring);
  const uploads = limits.uploads ?? UPLOAD_LIMITS;
  const due = createDueIndex(client, options.followEnds === true);

  const parts: RedisParts = {
    client,
    keyring,
    writer: createWriter(client, waitReplicas),
    shareWriter: createWriter(ring, options.keyring ? keyringWaitReplicas : 0),
    hasKeyring: options.keyring !== undefined,
    due,
    withdrawals: createWithdrawals(client, keyring, due, limits.retention * 1000),
    admission: createAdmission({ client, keyring: options.keyring, budget: options.budget }),
    limits,
    rooms: createUploadRooms(uploads.idle * 1000),
    uploads,
    retention: limits.retention * 1000,
  };
  const { writer, retention } = parts;

  return {
    check: () => checkRedis(client, options.keyring, waitReplicas, keyringWaitReplicas, options.budget),

    async ping() {
      await Promise.all([ask(client.ping()), options.keyring && ask(options.keyring.ping())]);
    },

    async create(secret) {
      assertTtl(secret.ttl, limits.maxTtl);
      assertSize(secret);
      assertAttachments(secret);
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
      due.hasten(id);
      const { value: reply, replicated } = await writer.run(recordKey(id), (connection) =>
        connection.waxsealDeleteSecretBuffer(recordKey(id), blobKey(id), retention),
      );
      const kind = kindOf(reply);
      if (kind === "missing") return MISSING;
      parts.rooms.end(id);
      await keyring.drop(id, text(reply[1]));
      await freeBlocks(parts, id, number(reply[3]));
      if (!replicated) throw tooFewReplicas();
      if (kind === "ended") return ended(reply[4], reply[2]);
      await quietly(due.leave(id), releaseUpload(parts, id, text(reply[1])));
      const [first, wasSealed] = [reply[4] === 1, reply[5] === 1];
      return { kind: "deleted", first, wasSealed, endedAt: number(reply[2]) };
    },

    async unlock(id) {
      due.hasten(id);
      const reply = await ask(client.waxsealUnlockSecretBuffer(recordKey(id)));
      const kind = kindOf(reply);
      if (kind === "missing") return MISSING;
      if (kind === "ended") return ended(reply[1], reply[2]);
      return { kind: "unlocked", triesLeft: limits.passphraseTries };
    },

    async note(id, kind, quiet) {
      // Of a visit nobody is told who does not ask.
      if (kind !== "visited") due.hasten(id);
      const reply = await ask(client.waxsealNoteEventBuffer(recordKey(id), kind, quiet));
      const outcome = kindOf(reply);
      if (outcome === "missing") return MISSING;
      if (outcome === "ended") return ended(reply[1], reply[2]);
      if (outcome === "unwritable") throw storeError(new ReplyError(text(reply[1])));
      return { kind: outcome === "noted" ? "noted" : "quiet" };
    },

    collectExpired: (beforeForget) =>
      options.followEnds ? followEnds(parts, beforeForget) : collectExpired(parts),

    collectAbandoned: () => collectAbandoned(parts),

    countPending: () => ask(client.zcard(DUE_KEY)),

    memory: () => parts.admission.memory(),

    async close() {
      parts.withdrawals.close();
      parts.rooms.close();
      writer.close();
      parts.shareWriter.close();
      await Promise.all([closeClient(client), options.keyring && closeClient(options.keyring)]);
    },
  };
}
