// `npm start`: installs what is missing, builds, and becomes the server, in this very process so that
// signals reach it. Not done by prestart: .npmrc switches lifecycle scripts off, and theirs with it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const loud = { stdio: "inherit" };

try {
  const ensureInstalled = fileURLToPath(new URL("./ensure-installed.mjs", import.meta.url));
  execFileSync(process.execPath, [ensureInstalled], loud);
  execFileSync("npm", ["run", "--silent", "build"], { ...loud, shell: process.platform === "win32" });
} catch {
  // Each has said what is wrong and what to do.
  process.exit(1);
}
await import("../../dist/server.js");
