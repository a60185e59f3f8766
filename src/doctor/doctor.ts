import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Environment, ReadFile } from "../config/environment.ts";
import { parseConfig } from "../config/parse-config.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import { httpChecks } from "./checks.ts";
import { ok, problem, skipped } from "./finding.ts";
import { createHttpClient } from "./http-client.ts";
import { lookAtNotifications } from "./look-at-notifications.ts";
import { lookAtRedis } from "./look-at-redis.ts";
import { type Line, runChecks } from "./run-checks.ts";

export interface DoctorOptions {
  /** After `doctor`. */
  readonly args: readonly string[];
  readonly env: Environment;
  readonly readFile: ReadFile;
  readonly print: (line: string) => void;
}

/** Milliseconds for everything; a request that has begun may take 4 s more. */
const PATIENCE = 15_000;

function readConfig({ env, readFile }: DoctorOptions): { config: Config | undefined; lines: Line[] } {
  const name = "configuration";
  try {
    return { config: parseConfig(env, readFile), lines: [{ name, ...ok("every setting can be used") }] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, lines: error.problems.map((text) => ({ name, ...problem(text) })) };
  }
}

/** `--url` without a path means the same mount path on another host. */
function targetOf(url: URL | undefined, publicUrl: URL): URL {
  if (url === undefined) return publicUrl;
  const target = new URL(url);
  if (target.pathname === "/") target.pathname = publicUrl.pathname;
  return target;
}

function lookAtHttp(config: Config, url: URL | undefined, named: boolean, deadline: number): Promise<Line[]> {
  // Where nobody said what PUBLIC_URL is, the page says it.
  const publicUrl = named || url === undefined ? config.publicUrl : undefined;
  const target = targetOf(url, config.publicUrl);
  const subject = {
    config,
    publicUrl,
    target,
    direct: url !== undefined && url.origin !== config.publicUrl.origin,
    http: createHttpClient(target),
  };
  return runChecks(httpChecks, subject, deadline);
}

function show({ level, name, text }: Line): string {
  return `${level.padEnd(7)}  ${name}: ${text}`;
}

/**
 * Looks at everything that an operator can get wrong and prints a line for each. 0 where nothing is
 * wrong, warnings aside; 1 otherwise. Uses nothing up and changes nothing, but for one test secret
 * that it creates and opens, and no line holds a password, a link or an address of Redis.
 */
export async function doctor(options: DoctorOptions): Promise<0 | 1> {
  const { args, env, readFile, print } = options;
  const parsed = parseArguments(args);
  if (typeof parsed === "string") {
    print(`${parsed} ${USAGE}`);
    return 1;
  }
  const deadline = performance.now() + PATIENCE;
  const { config, lines } = readConfig(options);
  const usable = config ?? (parsed.url && parseConfig({}, readFile));
  if (usable === undefined) {
    lines.push({
      name: "not checked",
      ...skipped("the service and Redis. Correct the configuration first."),
    });
  } else {
    const named = config !== undefined && env.PUBLIC_URL !== undefined;
    const groups = await Promise.all([
      lookAtHttp(usable, parsed.url, named, deadline),
      config === undefined ? [] : lookAtRedis(config, deadline),
      config === undefined ? [] : lookAtNotifications(config, deadline),
    ]);
    lines.push(...groups.flat());
  }
  for (const line of lines) print(show(line));
  const count = (level: Line["level"]) => lines.filter((line) => line.level === level).length;
  print(`${count("problem")} problem(s), ${count("warning")} warning(s).`);
  return count("problem") === 0 ? 0 : 1;
}
