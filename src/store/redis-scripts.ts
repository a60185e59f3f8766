import { readdirSync, readFileSync } from "node:fs";
import type { Cluster, Redis, Result } from "ioredis";

type Bytes = Buffer | string;
/** A kind and what belongs to it; each script's header lists them. */
export type ScriptReply = [kind: Buffer, ...rest: (Buffer | number | null)[]];

declare module "ioredis" {
  interface RedisCommander<Context> {
    waxsealScheduleExpiryBuffer(
      due: string,
      id: string,
      left: number,
      when: "NX" | "XX" | "SOONER",
    ): Result<[added: number], Context>;
    waxsealKeepAnchorBuffer(
      anchors: string,
      anchored: string,
      chain: string,
      seq: number,
      hash: string,
      most: number,
    ): Result<[kept: number], Context>;
    waxsealFindDueBuffer(due: string, limit: number, furthest: number | ""): Result<Buffer[], Context>;
    waxsealCreateSecretBuffer(
      record: string,
      blob: string,
      linkHash: Bytes,
      accessHash: Bytes,
      receiptHash: Bytes,
      body: Bytes,
      shareName: string,
      ciphertext: Bytes,
      ttl: number,
      retention: number,
      passphrase: "0" | "1",
      rules: string,
      sender: string,
    ): Result<ScriptReply, Context>;
    waxsealBeginUploadBuffer(
      record: string,
      linkHash: Bytes,
      accessHash: Bytes,
      receiptHash: Bytes,
      body: Bytes,
      shareName: string,
      size: number,
      block: number,
      ttl: number,
      idle: number,
      longest: number,
      retention: number,
      passphrase: "0" | "1",
      rules: string,
      sender: string,
    ): Result<ScriptReply, Context>;
    waxsealReserveUploadBuffer(
      uploads: string,
      sizes: string,
      upload: string,
      size: number,
      idle: number,
      maxBytes: number,
    ): Result<[reserved: number], Context>;
    waxsealReleaseUploadBuffer(
      uploads: string,
      sizes: string,
      upload: string,
    ): Result<[released: number], Context>;
    waxsealWriteBlockBuffer(
      record: string,
      blob: string,
      offset: number,
      piece: Buffer,
      idle: number,
      longest: number,
      maxSpans: number,
      retention: number,
    ): Result<ScriptReply, Context>;
    waxsealSealUploadBuffer(
      record: string,
      blob: string,
      attempt: Bytes,
      retention: number,
    ): Result<ScriptReply, Context>;
    waxsealReopenUploadBuffer(
      record: string,
      blob: string,
      attempt: Bytes,
      idle: number,
      retention: number,
    ): Result<[reopened: number], Context>;
    waxsealAbandonUploadBuffer(
      record: string,
      blob: string,
      shareName: string,
      idle: number,
      retention: number,
    ): Result<ScriptReply, Context>;
    waxsealDiscardSecretBuffer(
      record: string,
      blob: string,
      shareName: string,
      unshared: "0" | "1",
    ): Result<[removed: number], Context>;
    waxsealReadRecordBuffer(record: string, blob: string): Result<(Buffer | number)[] | null, Context>;
    waxsealOpenSecretBuffer(
      record: string,
      blob: string,
      linkHash: Bytes,
      accessHash: Bytes,
      claim: Bytes,
      attempt: Bytes,
      window: number,
      blobGrace: number,
      tries: number,
      retention: number,
      again?: "0" | "1",
    ): Result<ScriptReply, Context>;
    waxsealWithdrawClaimBuffer(
      record: string,
      blob: string,
      attempt: Bytes,
      retention: number,
    ): Result<[answer: number, windowLeft?: number, left?: number], Context>;
    waxsealAcknowledgeSecretBuffer(record: string, blob: string, claim: Bytes): Result<ScriptReply, Context>;
    waxsealDeleteSecretBuffer(record: string, blob: string, retention: number): Result<ScriptReply, Context>;
    waxsealUnlockSecretBuffer(record: string): Result<ScriptReply, Context>;
    waxsealNoteEventBuffer(record: string, kind: string, quiet: number): Result<ScriptReply, Context>;
    waxsealExpireSecretBuffer(
      record: string,
      blob: string,
      retention: number,
      mayTakeBack: number,
    ): Result<ScriptReply, Context>;
    waxsealTakeDueBuffer(
      due: string,
      limit: number,
      lease: number,
    ): Result<[date: number, ...ids: Buffer[]], Context>;
    waxsealPutOffLookBuffer(
      due: string,
      id: string,
      date: number,
      left: number,
    ): Result<[putOff: number], Context>;
    waxsealForgetSenderBuffer(record: string): Result<[forgotten: number], Context>;
    waxsealLoseSecretBuffer(
      record: string,
      blob: string,
      attempt: Bytes,
      retention: number,
      grace: number,
    ): Result<ScriptReply, Context>;
    waxsealAddDeliveryBuffer(
      seen: string,
      queue: string,
      delayed: string,
      delivery: string,
      maxQueued: number,
      remembered: number,
      kept: number,
    ): Result<ScriptReply, Context>;
    waxsealTakeDeliveriesBuffer(
      queue: string,
      delayed: string,
      count: number,
      idle: number,
      cursor: string,
      kept: number,
    ): Result<Buffer[], Context>;
    waxsealFinishDeliveryBuffer(queue: string, entry: string): Result<[settled: number], Context>;
    waxsealDelayDeliveryBuffer(
      queue: string,
      delayed: string,
      entry: string,
      delivery: string,
      delay: number,
      kept: number,
    ): Result<[settled: number], Context>;
    waxsealBuryDeliveryBuffer(
      queue: string,
      dead: string,
      entry: string,
      delivery: string,
      reason: string,
      maxDead: number,
      kept: number,
    ): Result<[settled: number], Context>;
  }
}

const SCRIPTS = [
  "abandon-upload",
  "acknowledge-secret",
  "add-delivery",
  "begin-upload",
  "bury-delivery",
  "create-secret",
  "delay-delivery",
  "delete-secret",
  "discard-secret",
  "expire-secret",
  "find-due",
  "finish-delivery",
  "keep-anchor",
  "forget-sender",
  "lose-secret",
  "note-event",
  "open-secret",
  "put-off-look",
  "read-record",
  "release-upload",
  "reopen-upload",
  "reserve-upload",
  "schedule-expiry",
  "seal-upload",
  "take-deliveries",
  "take-due",
  "unlock-secret",
  "withdraw-claim",
  "write-block",
] as const;

export interface Script {
  readonly name: string;
  readonly lua: string;
  /** As its header declares them. */
  readonly numberOfKeys: number;
}

/** Reads every script, and throws where one is missing: a build that forgot them must not start. */
export function loadScripts(folder: URL = new URL("lua/", import.meta.url)): readonly Script[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".lua"));
  for (const name of SCRIPTS) {
    if (files.includes(`${name}.lua`)) continue;
    throw new Error(`${name}.lua is not in ${folder.pathname}. Copy src/store/lua next to the store's code.`);
  }
  return SCRIPTS.map((name) => {
    const lua = readFileSync(new URL(`${name}.lua`, folder), "utf8");
    return { name, lua, numberOfKeys: lua.match(/^-- KEYS\[\d+\] /gm)?.length ?? 0 };
  });
}

/** `open-secret` becomes the command `waxsealOpenSecret`. */
export function commandName(script: string): string {
  return `waxseal-${script}`.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * ioredis sends a script's text once per connection and its digest from then on, and sends the text
 * again on NOSCRIPT; so a Redis that was restarted or flushed needs nothing from us.
 */
export function defineScripts(client: Redis | Cluster, scripts: readonly Script[]): void {
  for (const { name, lua, numberOfKeys } of scripts) {
    client.defineCommand(commandName(name), { lua, numberOfKeys });
  }
}
