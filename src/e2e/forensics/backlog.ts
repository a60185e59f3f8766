import { once } from "node:events";
import { connect } from "node:net";
import type { Redis } from "ioredis";

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1] ?? "";
}

/**
 * The bytes that a Redis keeps for replicas which lost touch, got as a replica gets them: by asking to
 * go on from the oldest offset (PSYNC). Empty where none is kept. Only for nodes without a password
 * for `address`; `login` is sent first.
 */
export async function readBacklog(
  admin: Redis,
  address: { host: string; port: number },
  login: string,
): Promise<Buffer> {
  const info = await admin.info("replication");
  const length = Number(fieldOf(info, "repl_backlog_histlen"));
  if (fieldOf(info, "repl_backlog_active") !== "1" || length === 0) return Buffer.alloc(0);
  const socket = connect(address.port, address.host);
  try {
    await once(socket, "connect");
    const first = fieldOf(info, "repl_backlog_first_byte_offset");
    socket.write(`${login}\r\n`);
    await once(socket, "readable"); // PSYNC is refused while an answer is still to be sent
    socket.read();
    socket.write(`PSYNC ${fieldOf(info, "master_replid")} ${first}\r\n`);
    let received = Buffer.alloc(0);
    for await (const piece of socket) {
      received = Buffer.concat([received, piece]);
      const said = received.indexOf("+CONTINUE");
      if (said < 0) {
        const answer = received.subarray(0, 200).toString("latin1");
        if (/^-|FULLRESYNC/m.test(answer)) throw new Error(`Redis won't show its backlog: ${answer}`);
        continue;
      }
      const start = received.indexOf("\r\n", said) + 2;
      if (start > 1 && received.length - start >= length) return received.subarray(start);
    }
    throw new Error("Redis ended the connection in the middle of its backlog.");
  } finally {
    socket.destroy();
  }
}
