import { readFile, stat } from "node:fs/promises";
import { Reader, type Response } from "maxmind";
import type { Logger } from "pino";
import type { CountryOf } from "./decide.ts";

/** The database at GEOIP_DB can't be used. The message names the fix. */
export class CountriesError extends Error {
  override readonly name = "CountriesError";
  readonly code = "countries";
}

export interface Countries {
  readonly countryOf: CountryOf;
  /** One line for a person to read at start. */
  readonly about: string;
  /** Looks at the file no more. */
  close(): void;
}

export interface CountriesOptions {
  /** Of a MaxMind-format database. */
  readonly path: string;
  readonly log: Pick<Logger, "info" | "error">;
  /** Milliseconds between two looks at the file; a change is taken at the second look that sees it. */
  readonly every?: number;
}

const LOOK_EVERY = 5000;
/** Networks to look through for one that has a country: in a database of countries it is among the first. */
const MAX_PROBES = 4096;

function countryIn(found: Response | null): string | undefined {
  const country = found && "country" in found ? found.country : undefined;
  const code: unknown = typeof country === "object" ? country?.iso_code : undefined;
  return typeof code === "string" ? code : undefined;
}

const dotted = (address: number) => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");

/** Whether any address has a country in it; of what belongs to whom or where else it may be, none has. */
function hasCountries(reader: Reader<Response>): boolean {
  let address = 0;
  for (let probe = 0; probe < MAX_PROBES && address < 2 ** 32; probe++) {
    const [found, prefix] = reader.getWithPrefixLength(dotted(address));
    if (countryIn(found) !== undefined) return true;
    address += 2 ** (32 - prefix);
  }
  return false;
}

/** Whatever replaces the file, in place or by a rename, has another. */
async function stampOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

function describe({ metadata }: Reader<Response>): string {
  const built = metadata.buildEpoch.toISOString().slice(0, 10);
  return `countries by ${metadata.databaseType} of ${built}`;
}

async function read(path: string): Promise<Reader<Response>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CountriesError(
      `GEOIP_DB: the file can't be read (${error.code}). Correct the path, and let this process's user read it.`,
    );
  });
  try {
    const reader = new Reader<Response>(bytes);
    // One without a date throws here, and not when somebody is told of it.
    describe(reader);
    if (hasCountries(reader)) return reader;
  } catch {
    throw new CountriesError(
      "GEOIP_DB: the file is not a whole database in MaxMind's format. Give an .mmdb file, unpacked.",
    );
  }
  throw new CountriesError(
    "GEOIP_DB: the database holds no countries. Give one such as GeoLite2-Country or DB-IP Country Lite.",
  );
}

/**
 * Reads the database into memory and goes on to look whether it is replaced, as geoipupdate does every
 * week. A new file that can't be used is logged once, and the old contents stay. Throws CountriesError.
 */
export async function openCountries({ path, log, every = LOOK_EVERY }: CountriesOptions): Promise<Countries> {
  let reader = await read(path);
  let settled = await stampOf(path).catch(() => "");
  let seen = settled;
  let stopped = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const stamp = await stampOf(path).catch(() => "");
    if (stamp === seen && stamp !== settled && !stopped) {
      settled = stamp;
      try {
        reader = await read(path);
        log.info(`GEOIP_DB was read again: ${describe(reader)}`);
      } catch (error) {
        if (!(error instanceof CountriesError)) throw error;
        log.error(`The new database is not used, the old one stays. ${error.message}`);
      }
    }
    seen = stamp;
  }

  function again(): void {
    if (stopped) return;
    timer = setTimeout(() => void look().finally(again), every);
    timer.unref();
  }
  again();

  return {
    about: describe(reader),
    countryOf(address) {
      // The reader would take the first 32 bits of an IPv6 address for one of IPv4.
      if (address.includes(":") && reader.metadata.ipVersion !== 6) return undefined;
      try {
        return countryIn(reader.get(address));
      } catch {
        // A damaged record is as good as none.
        return undefined;
      }
    },
    close() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
