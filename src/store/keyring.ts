import { type Cluster, Command, Redis } from "ioredis";
import { copyOf } from "../envelope/bytes.ts";
import { type SecretId, type Share, storedShare } from "../envelope/tokens.ts";
import { ask } from "./redis-faults.ts";
import { shareKey } from "./redis-keys.ts";
import { asBuffer } from "./redis-replies.ts";

/**
 * Where the shares are kept: by default the same Redis as everything else, or a second one that has
 * nothing but memory. Native commands only, because Lua copies what it touches; each of them is
 * atomic, sets or keeps the key's own time to live, and may be sent again.
 */
export interface Keyring {
  put(id: SecretId, name: string, share: Share, ttl: number): Promise<void>;
  /** Sets how long the share has to live; false where it isn't there. */
  keep(id: SecretId, name: string, milliseconds: number): Promise<boolean>;
  has(id: SecretId, name: string): Promise<boolean>;
  /** Reads the share and caps its life to `milliseconds`. The caller zeroes what it gets. */
  lend(id: SecretId, name: string, milliseconds: number): Promise<Share | undefined>;
  /** Reads the share and destroys it in one act. The caller zeroes what it gets. */
  take(id: SecretId, name: string): Promise<Share | undefined>;
  drop(id: SecretId, name: string): Promise<void>;
}

/** A SET, which overwrites the copy of the share that ioredis makes of a command when it sends it. */
class SetShare extends Command {
  #written: Buffer[] = [];
  #share: Buffer;

  constructor(key: string, share: Buffer, ttl: number, keyPrefix: string | undefined) {
    super("set", [key, share, "PX", ttl, "NX"], keyPrefix === undefined ? {} : { keyPrefix });
    this.#share = share;
  }

  override toWritable(socket: object): string | Buffer {
    const written = super.toWritable(socket);
    if (typeof written !== "string") {
      const at = written.indexOf(this.#share);
      this.#written.push(written.subarray(at, at + this.#share.length));
    }
    return written;
  }

  /**
   * To be called when it is answered. Where no answer came, its bytes may still be waiting to be sent:
   * then zeros arrive, under a name that no record will ever hold.
   */
  wipe(): void {
    for (const copy of this.#written) copy.fill(0);
  }
}

/** The reply is a piece of what came off the socket: zeroing it zeroes that. */
function moveShare(reply: Buffer | null): Share | undefined {
  if (!reply) return undefined;
  const share = storedShare(copyOf(reply));
  reply.fill(0);
  return share;
}

/** As long as the buffer in which Redis puts the answers for one connection (PROTO_REPLY_CHUNK_BYTES). */
const FILLER = Buffer.alloc(16_384);

export function createKeyring(client: Redis | Cluster): Keyring {
  /**
   * An answer stays in Redis' buffer for its connection until longer ones have overwritten it: the last
   * share that was read, until somebody comes again. Once it has been received, one of zeros goes over it.
   */
  function overwriteReply(): void {
    if (!(client instanceof Redis)) return; // a Cluster would ask any of its nodes
    void client.pingBuffer(FILLER).catch(() => undefined); // a lost connection loses its buffers as well
  }

  return {
    async put(id, name, share, ttl) {
      const command = new SetShare(shareKey(id, name), asBuffer(share), ttl, client.options.keyPrefix);
      client.sendCommand(command);
      try {
        await ask(command.promise);
      } finally {
        command.wipe();
      }
    },
    async keep(id, name, milliseconds) {
      return (await ask(client.pexpire(shareKey(id, name), milliseconds))) === 1;
    },
    async has(id, name) {
      return (await ask(client.exists(shareKey(id, name)))) === 1;
    },
    async lend(id, name, milliseconds) {
      const command = client.getexBuffer(shareKey(id, name), "PX", Math.max(1, Math.floor(milliseconds)));
      const share = moveShare(await ask(command));
      overwriteReply();
      return share;
    },
    async take(id, name) {
      const share = moveShare(await ask(client.getdelBuffer(shareKey(id, name))));
      overwriteReply();
      return share;
    },
    async drop(id, name) {
      await ask(client.unlink(shareKey(id, name)));
    },
  };
}
