/**
 * Prints what sealing, opening and Argon2id cost here, in Node and in Chromium:
 * `node --import tsx src/bench/envelope.ts`
 */
import { openScriptPage } from "../testing/script-page.ts";
import * as node from "./envelope-figures.ts";

/** In the page. */
declare const figures: typeof node;

const KIB = 1024;
const MIB = 1024 * KIB;
const WORK = [
  { size: KIB, rounds: 500 },
  { size: MIB, rounds: 20 },
  { size: 64 * MIB, rounds: 3 },
];
const ARGON2ID_ROUNDS = 5;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function row(where: string, { size, seal, unseal }: node.SealFigures): string {
  const name = size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`;
  const speed = (ms: number) => `${ms.toFixed(ms < 10 ? 2 : 0)} ms ${(size / 1000 / ms).toFixed(0)} MB/s`;
  return [where, name, speed(seal), speed(unseal)].map((cell) => cell.padEnd(20)).join("");
}

print(["", "content", "seal", "unseal"].map((cell) => cell.padEnd(20)).join(""));
for (const { size, rounds } of WORK) {
  print(row(`Node ${process.versions.node}`, await node.measureSealing(size, rounds)));
}

const chromium = await openScriptPage(new URL("./envelope-figures.ts", import.meta.url), "figures");
try {
  const name = `Chromium ${chromium.browser.version().split(".")[0]}`;
  for (const work of WORK) {
    const measured = await chromium.page.evaluate(
      (each) => figures.measureSealing(each.size, each.rounds),
      work,
    );
    print(row(name, measured));
  }
  print("");
  print("Argon2id, 46 MiB, one pass");
  print(`Node ${process.versions.node}: ${(await node.measureArgon2id(ARGON2ID_ROUNDS)).toFixed(0)} ms`);
  const milliseconds = await chromium.page.evaluate(
    (rounds) => figures.measureArgon2id(rounds),
    ARGON2ID_ROUNDS,
  );
  print(`${name}: ${milliseconds.toFixed(0)} ms`);
} finally {
  await chromium.close();
}
