import { Cluster, type Redis } from "ioredis";
import { StoreUnavailableError } from "./store.ts";

/** CRC-16/XMODEM, with which Redis Cluster spreads keys (specification, "Key distribution model"). */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}

/** 0 to 16383. What is in the first pair of braces alone decides, where it is anything. */
export function slotOf(key: string): number {
  const tag = /\{([^}]+)\}/.exec(key);
  // A first pair with nothing in it makes the whole key count.
  const counted = tag && key.indexOf("{") === tag.index ? (tag[1] ?? key) : key;
  return crc16(Buffer.from(counted)) % 16_384;
}

/** `host:port`, as a Cluster's nodes are called. */
export function nodeName({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}

/** The node that a key belongs to, as far as this client knows: `host:port`, or "" without a Cluster. */
export function nodeNameFor(client: Redis | Cluster, key: string): string {
  if (!(client instanceof Cluster)) return "";
  const [master] = client.slots[slotOf(`${client.options.keyPrefix ?? ""}${key}`)] ?? [];
  if (master === undefined) throw new StoreUnavailableError({ cause: new Error("No node has this slot.") });
  return master;
}

/** All that take writes, by name. */
export function mastersOf(client: Redis | Cluster): ReadonlyMap<string, Redis> {
  if (!(client instanceof Cluster)) return new Map([["", client]]);
  return new Map(client.nodes("master").map((node) => [nodeName(node), node]));
}
