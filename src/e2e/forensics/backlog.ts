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
    socket.write(`${login}\r\nPSYNC ${fieldOf(info, "master_replid")} ${first}\r\n`);
    let received = Buffer.alloc(0);
    let start = -1;
    while (start < 0 || received.length - start < length) {
      const [piece] = (await once(socket, "data")) as [Buffer];
      received = Buffer.concat([received, piece]);
      if (start >= 0) continue;
      const said = received.indexOf("+CONTINUE");
      if (said < 0 && received.includes("FULLRESYNC")) throw new Error("The backlog moved on. Try again.");
      const end = said < 0 ? -1 : received.indexOf("\r\n", said);
      if (end >= 0) start = end + 2;
    }
    return received.subarray(start);
  } finally {
    socket.destroy();
  }
}
