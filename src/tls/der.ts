/**
 * Just enough DER (ITU-T X.690) to write a certificate. It only writes, and only what this program
 * itself says; what others send is parsed by Node.
 */
type Bytes = Uint8Array;

function tagged(tag: number, ...contents: readonly Bytes[]): Bytes {
  const body = Buffer.concat(contents);
  const { length } = body;
  if (length > 0xffff) throw new RangeError("Nothing in a certificate of ours is that long.");
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...size), body]);
}

export const sequence = (...items: readonly Bytes[]) => tagged(0x30, ...items);
export const set = (...items: readonly Bytes[]) => tagged(0x31, ...items);
export const boolean = (value: boolean) => tagged(0x01, Uint8Array.of(value ? 0xff : 0));
export const octetString = (bytes: Bytes) => tagged(0x04, bytes);
export const utf8String = (text: string) => tagged(0x0c, Buffer.from(text));
/** A whole number of bytes. */
export const bitString = (bytes: Bytes) => tagged(0x03, Uint8Array.of(0), bytes);
/** Bits counted from the left, as in X.509's KeyUsage; the unused ones stand at the end. */
export const flags = (byte: number, unused: number) => tagged(0x03, Uint8Array.of(unused, byte));
/** `[number]` around something whole. */
export const explicit = (number: number, item: Bytes) => tagged(0xa0 | number, item);
/** `[number]` in place of a primitive type's own tag. */
export const implicit = (number: number, content: Bytes) => tagged(0x80 | number, content);

/** Big-endian and positive: a zero in front keeps the first bit from being read as a sign. */
export function integer(bytes: Bytes): Bytes {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  return tagged(0x02, (digits[0] ?? 0) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0), digits);
}

export function objectId(text: string): Bytes {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const digits = [first * 40 + second, ...rest].flatMap((value) => {
    const septets = [value & 0x7f];
    for (let left = value >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return tagged(0x06, Uint8Array.from(digits));
}

/** RFC 5280, section 4.1.2.5: UTCTime through 2049, GeneralizedTime after it; whole seconds. */
export function time(date: Date): Bytes {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(text.slice(2)))
    : tagged(0x18, Buffer.from(text));
}
