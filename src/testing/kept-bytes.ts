import type { Redis } from "ioredis";

async function look(connection: Redis): Promise<number> {
  const answers = await connection.multi().slowlog("RESET").info("memory").client("LIST").exec();
  const [, info = "", clients = ""] = (answers ?? []).map(([, text]) => String(text));
  const held = [...clients.matchAll(/ tot-mem=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]) - held;
}

/**
 * Bytes that a Redis uses for anything but connections and its log of slow commands. Buffers of
 * connections grow with large arguments, to megabytes, and Redis trims them at a time of its own; the
 * log grows on a busy machine.
 */
export async function keptBytes(admin: Redis): Promise<number> {
  // A new one has room for its answers. Where Redis has trimmed that, it grows between the two numbers.
  const connection = admin.duplicate();
  try {
    // Each command has a table of its latencies from its first use on, 24 KB: those of the look itself too.
    await look(connection);
    return await look(connection);
  } finally {
    connection.disconnect();
  }
}
