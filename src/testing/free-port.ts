import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Below what systems hand out to whoever asks for any port (Linux: from 32768 on), where somebody's connection
 * would soon have it, and above those that Chromium refuses.
 */
const RANGE = [12_000, 32_768] as const;
/** A link for each port that a test process has for itself, for as long as it runs. */
const TAKEN = join(tmpdir(), `waxseal-ports-${process.getuid?.() ?? 0}`);
mkdirSync(TAKEN, { recursive: true });

const own: string[] = [];
process.once("exit", () => {
  for (const link of own) rmSync(link, { force: true });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function removeForgotten(link: string): void {
  try {
    if (!isRunning(Number(readlinkSync(link)))) rmSync(link, { force: true });
  } catch {} // It is gone by now.
}

/** False where somebody has it. What a killed process had is free for the next who asks. */
function take(port: number): boolean {
  const link = join(TAKEN, String(port));
  try {
    symlinkSync(String(process.pid), link);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    removeForgotten(link);
    return false;
  }
  own.push(link);
  return true;
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port), "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/**
 * A port on which nobody listens, and on which no other test will as long as this process runs. What is no
 * test may take it: retry when a server can't bind.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...RANGE);
    if (take(port) && (await canListen(port))) return port;
  }
}
