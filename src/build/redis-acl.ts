// Writes the commands of src/store/redis-commands.ts to where a Redis is set up: the chart and compose.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { aclRules, CLUSTER_COMMANDS, COMMANDS, SENTINEL_COMMANDS } from "../store/redis-commands.ts";

const root = new URL("../../", import.meta.url);

/** Each file with what it should hold now; `old` is what it holds. */
export const aclFiles: ReadonlyArray<{
  readonly path: string;
  readonly render: (old: string) => string;
}> = [
  { path: "deploy/chart/files/redis/app.acl", render: () => `${aclRules("")}\n` },
  { path: "deploy/compose/redis-start.sh", render: updateScript },
];

function updateScript(old: string): string {
  const list = /^commands='[^']*'$/m;
  if (!list.test(old)) throw new Error("redis-start.sh has no list of commands. Put commands='' into it.");
  const names = COMMANDS.map(({ name }) => `+${name}`);
  return old.replace(list, () => `commands='${wrap(names, 90)}'`);
}

function wrap(words: readonly string[], width: number): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines.splice(-1, 1, `${last} ${word}`);
    else lines.push(word);
  }
  return lines.join("\n");
}

const plus = (names: readonly string[]) => names.map((name) => `+${name}`).join(" ");

/** For the README. */
export function renderAcl(): string {
  const cluster = CLUSTER_COMMANDS.map(({ name }) => name);
  return `\`\`\`text
ACL SETUSER waxseal reset on >PASSWORD ${aclRules("")}
\`\`\`

With \`REDIS_KEY_PREFIX=team-a:\` the keys are \`~team-a:ws:*\` and the channel \`&team-a:ws:changed\`. On a Cluster add
\`${plus(cluster)}\`, on every node. A user at the Sentinels needs
\`${plus(SENTINEL_COMMANDS)}\`.`;
}

export const aclPath = (path: string) => fileURLToPath(new URL(path, root));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, render } of aclFiles) {
    const file = aclPath(path);
    writeFileSync(file, render(readFileSync(file, "utf8")));
  }
}
