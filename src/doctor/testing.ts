import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type MeddlingOptions, startMeddlingProxy } from "../testing/meddling-proxy.ts";
import { type ServerProcess, startServer } from "../testing/server-process.ts";
import { doctor } from "./doctor.ts";

export interface Visit {
  readonly code: 0 | 1;
  readonly output: string;
  /** The lines of these levels, without the others. */
  readonly worries: readonly string[];
  /** Fails unless there is one line of this level, about this, that says this. */
  says(level: "ok" | "warning" | "problem" | "skipped", name: string, text: RegExp): void;
}

/** What the doctor says of this environment. */
export async function visitOnce(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Visit> {
  const lines: string[] = [];
  const readFile = (path: string) => readFileSync(path, "utf8");
  const code = await doctor({ args, env, readFile, print: (line) => void lines.push(line) });
  const output = lines.join("\n");
  return {
    code,
    output,
    worries: lines.filter((line) => /^(warning|problem|skipped) /.test(line)),
    says(level, name, text) {
      const found = lines.filter(
        (line) => line.startsWith(`${level.padEnd(7)}  ${name}: `) && text.test(line),
      );
      assert.equal(found.length, 1, `${level} ${name} ${text} in:\n${output}`);
      if (level === "problem") assert.equal(code, 1);
    },
  };
}

const CAME_TOO_LATE =
  /ETIMEDOUT|ECONNCLOSED|no answer within|could not be looked at|answers 503|\(unavailable\)/;

/** The same where nobody is slow on purpose: what a busy machine was too late with is looked at again. */
export async function visit(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<Visit> {
  for (let tries = 1; ; tries++) {
    const found = await visitOnce(env, ...args);
    if (tries === 10 || !CAME_TOO_LATE.test(found.output)) return found;
  }
}

export interface Site {
  readonly env: Readonly<Record<string, string>>;
  readonly server: ServerProcess;
  close(): Promise<void>;
}

/** A server behind a proxy of the test's own, under the address that its links have. */
export async function startBehindProxy(
  options: Omit<MeddlingOptions, "target">,
  more: Readonly<Record<string, string>> = {},
): Promise<Site> {
  let port = 0;
  const proxy = await startMeddlingProxy({ ...options, target: () => port });
  const PUBLIC_URL = `${options.tls === undefined ? "http" : "https"}://localhost:${proxy.port}`;
  const env = { PUBLIC_URL, ...more };
  const server = await startServer(env);
  port = server.port;
  return {
    env,
    server,
    async close() {
      await server.stop();
      await proxy.close();
    },
  };
}
