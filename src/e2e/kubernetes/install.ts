// `tsx src/e2e/kubernetes/install.ts`: fills the cache, so that no test has to wait for a compiler.

import { createHelm } from "./helm.ts";
import { ensureSchemas } from "./schemas.ts";
import { ensureTools } from "./tools.ts";

const log = (line: string) => void process.stdout.write(`${line}\n`);
const tools = await ensureTools(log);
const helm = await createHelm(tools.helm);
try {
  await ensureSchemas("oldest", helm, log);
  await ensureSchemas("newest", helm, log);
} finally {
  await helm.stop();
}
