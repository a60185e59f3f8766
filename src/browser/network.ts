/** The 4 or 16 bytes of an address. Undefined where it is none. */
function addressBytes(text: string): number[] | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const bytes = text.split(".");
    return bytes.every((byte) => String(Number(byte)) === byte && Number(byte) < 256)
      ? bytes.map(Number)
      : undefined;
  }
  try {
    // The URL parser knows every notation of IPv6 and writes each in one way, without dotted parts.
    const [head = "", tail] = new URL(`http://[${text}]`).hostname.slice(1, -1).split("::");
    const groups = (part = "") => (part === "" ? [] : part.split(":"));
    const [first, last] = [groups(head), groups(tail)];
    return [...first, ...new Array<string>(8 - first.length - last.length).fill("0"), ...last]
      .map((group) => Number.parseInt(group, 16))
      .flatMap((group) => [group >> 8, group & 0xff]);
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with an address or CIDR range. Bits set after the prefix are, as the server has it: a
 * slip in either half would let in more people than was meant.
 */
export function problemWithNetwork(text: string): string | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const bytes = addressBytes(address);
  const length = prefix ?? String(8 * (bytes?.length ?? 0));
  if (!bytes || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > 8 * bytes.length) {
    return `${text} is neither an address nor a range. Write it like 10.0.0.0/8 or 2001:db8::/32.`;
  }
  const set = bytes.findLastIndex((byte, i) => {
    const after = 8 * (i + 1) - Number(length);
    return after > 0 && (byte & (0xff >> Math.max(0, 8 - after))) !== 0;
  });
  return set < 0
    ? undefined
    : `${text} goes on after its /${length}. Leave the prefix out for the one address, or write zeros after it.`;
}
