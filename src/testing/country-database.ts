/** A small database in MaxMind's format, for tests: https://maxmind.github.io/MaxMind-DB/ */
import { addressBytes } from "../config/network.ts";

/** Either a leaf (an index into the data) or two subtrees; undefined where nothing is known. */
type Tree = { left: Tree; right: Tree } | number | undefined;

export interface DatabaseOptions {
  /** 6 by default, where IPv4 lies in ::/96. */
  readonly ipVersion?: 4 | 6;
  readonly type?: string;
}

const RECORD_BITS = 24;
const METADATA_START = Buffer.concat([Buffer.from("abcdef", "hex"), Buffer.from("MaxMind.com")]);

function control(type: number, size: number): Buffer {
  if (size > 28) throw new Error("A test's database has no value of more than 28 bytes.");
  return Buffer.from(type > 7 ? [size, type - 7] : [(type << 5) | size]);
}

const textField = (value: string) =>
  Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
const listField = (items: readonly Buffer[]) => Buffer.concat([control(11, items.length), ...items]);

function numberField(type: 5 | 6 | 9, value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([control(type, bytes.length), bytes]);
}

function mapField(members: Readonly<Record<string, Buffer>>): Buffer {
  const entries = Object.entries(members);
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([name, value]) => [textField(name), value]),
  ]);
}

function bitsOf(network: string, ipVersion: 4 | 6): number[] {
  const [address = "", length] = network.split("/");
  const bytes = addressBytes(address);
  if (bytes === undefined) throw new Error(`${network} is no network.`);
  const behind = ipVersion === 6 && bytes.length === 4 ? 96 : 0;
  const bits = [...new Array<number>(behind / 8).fill(0), ...bytes].flatMap((byte) =>
    [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1),
  );
  return bits.slice(0, behind + Number(length ?? 8 * bytes.length));
}

function put(tree: Tree, [bit, ...rest]: readonly number[], leaf: number): Tree {
  if (bit === undefined) return leaf;
  const { left, right } = typeof tree === "object" ? tree : { left: tree, right: tree };
  return bit === 0 ? { left: put(left, rest, leaf), right } : { left, right: put(right, rest, leaf) };
}

/** `countries`: from a network to its country's code. An empty code makes a record without a country. */
export function countryDatabase(
  countries: Readonly<Record<string, string>>,
  { ipVersion = 6, type = "Test-Country" }: DatabaseOptions = {},
): Buffer {
  let tree: Tree;
  const offsets: number[] = [];
  let data = Buffer.alloc(0);
  for (const [network, code] of Object.entries(countries)) {
    tree = put(tree, bitsOf(network, ipVersion), offsets.length);
    offsets.push(data.length);
    const record = code === "" ? {} : { country: mapField({ iso_code: textField(code) }) };
    data = Buffer.concat([data, mapField(record)]);
  }

  const nodes: { left: Tree; right: Tree }[] = [];
  const numbers = new Map<Tree, number>();
  const number = (node: Tree) => {
    if (typeof node !== "object") return;
    numbers.set(node, nodes.length);
    nodes.push(node);
    number(node.left);
    number(node.right);
  };
  number(tree);
  const record = (child: Tree) => {
    if (child === undefined) return nodes.length;
    if (typeof child === "object") return numbers.get(child) ?? 0;
    return nodes.length + 16 + (offsets[child] ?? 0);
  };
  const search = Buffer.alloc((nodes.length * RECORD_BITS * 2) / 8);
  for (const [i, { left, right }] of nodes.entries()) {
    search.writeUIntBE(record(left), i * 6, 3);
    search.writeUIntBE(record(right), i * 6 + 3, 3);
  }
  const metadata = mapField({
    binary_format_major_version: numberField(5, 2),
    binary_format_minor_version: numberField(5, 0),
    build_epoch: numberField(9, Date.UTC(2026, 0, 2) / 1000),
    database_type: textField(type),
    description: mapField({ en: textField("A test's networks") }),
    ip_version: numberField(5, ipVersion),
    languages: listField([textField("en")]),
    node_count: numberField(6, nodes.length),
    record_size: numberField(5, RECORD_BITS),
  });
  return Buffer.concat([search, Buffer.alloc(16), data, METADATA_START, metadata]);
}
