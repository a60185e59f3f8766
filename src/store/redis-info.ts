/** What INFO says, by name. */
export type Info = ReadonlyMap<string, string>;

/** `name:value` lines, as INFO gives them. */
export function parseInfo(text: string): Info {
  const pairs = text.split(/\r?\n/).filter((line) => line.includes(":"));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

/** NaN where it is not told. */
export const numberIn = (info: Info, name: string) => Number(info.get(name) ?? Number.NaN);
