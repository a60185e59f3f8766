import type { RateLimit } from "./config.ts";
import { quote, ValueError } from "./value-error.ts";

const secondsPer: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

const bytesPer: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** "90m" to 5400 (seconds). A number without a unit is refused: people disagree on what it means. */
export function parseDuration(text: string): number {
  return parseQuantity(text, secondsPer, {
    bare: (number) => `${number} has no unit. Write ${number}s, ${number}m, ${number}h or ${number}d.`,
    other: `${quote(text)} is not a duration. Write a whole number and s, m, h or d, such as 90m or 24h.`,
  });
}

/** "500ms" to 500 and "1s" to 1000 (milliseconds), for what takes less than a second. */
export function parseMilliseconds(text: string): number {
  return parseQuantity(
    text,
    { ms: 1, s: 1000 },
    {
      bare: (number) => `${number} has no unit. Write ${number}ms, or use s.`,
      other: `${quote(text)} is not a short duration. Write a whole number and ms or s, such as 500ms.`,
    },
  );
}

/** "64KiB" to 65536 and "1MB" to 1000000 (bytes). Plain bytes are written "65536B". */
export function parseSize(text: string): number {
  return parseQuantity(text, bytesPer, {
    bare: (number) =>
      `${number} has no unit. Write ${number}B for bytes, or use KiB, MiB, GiB, kB, MB or GB.`,
    other: `${quote(text)} is not a size. Write a whole number and a unit, such as 64KiB, 1MiB or 256MB.`,
  });
}

/** "80%" to 0.8. Whole percentages only. */
export function parsePercentage(text: string): number {
  const [, number = ""] = /^([0-9]+) ?%$/.exec(text) ?? [];
  if (!isDecimal(number)) throw new ValueError(`${quote(text)} is not a percentage. Write one such as 80%.`);
  return Number(number) / 100;
}

/** "60/10m" to {count: 60, seconds: 600}. */
export function parseRateLimit(text: string): RateLimit {
  const [count, duration, ...rest] = text.split("/").map((part) => part.trim());
  if (count === undefined || duration === undefined || rest.length > 0 || !isDecimal(count)) {
    throw new ValueError(`${quote(text)} is not a rate limit. Write count/duration, such as 60/10m.`);
  }
  const seconds = parseDuration(duration);
  if (Number(count) < 1 || Number(count) > 1e6 || seconds < 1 || seconds > 86_400) {
    throw new ValueError(
      `${quote(text)} is out of range. Write a count from 1 to 1000000 and a duration from 1s to 24h, such as 60/10m.`,
    );
  }
  return { count: Number(count), seconds };
}

/** "a, b" to its items, each parsed. Empty items and repetitions are refused. */
export function parseList<T>(text: string, parseItem: (item: string) => T): T[] {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) {
    throw new ValueError(
      `${quote(text)} has an empty item. Put one comma between two items and none at the ends.`,
    );
  }
  const parsed = items.map(parseItem);
  const repeated = items.find((_, index) => parsed.indexOf(parsed[index] as T) !== index);
  if (repeated !== undefined) {
    throw new ValueError(`${quote(repeated)} is there twice. Write it once.`);
  }
  return parsed;
}

/** "8080" to 8080. Signs, fractions, exponents, leading zeros and hexadecimal are refused. */
export function parseInteger(text: string): number {
  if (!isDecimal(text) || !Number.isSafeInteger(Number(text))) {
    throw new ValueError(`${quote(text)} is not a whole number. Write digits only, such as 10.`);
  }
  return Number(text);
}

/** 5400 to "90m": what `parseDuration` reads back as the same number. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return "0";
  // 24h and 72h are what people say; from a week on they say days.
  if (seconds % 86_400 === 0 && seconds >= 7 * 86_400) return `${seconds / 86_400}d`;
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

/** 500 to "500ms": what `parseMilliseconds` reads back as the same number. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds === 0) return "0";
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

/** 65536 to "64KiB": what `parseSize` reads back as the same number. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return "0";
  for (const unit of ["GiB", "MiB", "KiB", "GB", "MB", "kB"]) {
    const size = bytesPer[unit] ?? 1;
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

function isDecimal(text: string): boolean {
  return /^(0|[1-9][0-9]*)$/.test(text);
}

function parseQuantity(
  text: string,
  units: Readonly<Record<string, number>>,
  refuse: { bare: (number: string) => string; other: string },
): number {
  const [, number, unit] = /^([0-9]+) ?([A-Za-z]*)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined || !isDecimal(number)) throw new ValueError(refuse.other);
  // Nothing is nothing in every unit.
  if (unit === "" && number === "0") return 0;
  if (unit === "") throw new ValueError(refuse.bare(number));
  const size = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (size === undefined) throw new ValueError(refuse.other);
  const total = Number(number) * size;
  if (!Number.isSafeInteger(total)) throw new ValueError(refuse.other);
  return total;
}
