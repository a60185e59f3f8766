// A mail server and a receiver of webhooks, in a container of their own beside Waxseal's.

import { chmodSync } from "node:fs";
import { join } from "node:path";
import { makeCertificates } from "../../testing/certificates.ts";
import type { Engine } from "./engine.ts";
import { eventually, image, node } from "./rig.ts";
import { repository } from "./stack.ts";

export interface Told {
  /** Of a webhook: what was posted. */
  readonly hook?: string;
  /** A mail as it came, and whether over TLS. */
  readonly mail?: string;
  readonly secure?: boolean;
}

export interface Receiver {
  /** All that came so far. */
  readonly told: () => Promise<Told[]>;
  readonly stop: () => Promise<void>;
}

/** The name under which others on its network find it; mail at port 2525, webhooks at 8080. */
export const receiverName = "receiver";

const program = `
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { SMTPServer } = require("smtp-server");
const say = (told) => console.log(JSON.stringify(told));
const read = async (stream) => {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
};
const hooks = createServer(async (request, response) => {
  say({ hook: await read(request) });
  response.end();
}).listen(8080);
const mails = new SMTPServer({
  ...{ key: readFileSync("/tls/redis.key"), cert: readFileSync("/tls/redis.crt") },
  ...{ authOptional: true, disableReverseLookup: true },
  onData: (stream, { secure }, done) => read(stream).then((mail) => { say({ mail, secure }); done(); }),
}).listen(2525);
Promise.all([hooks, mails].map((server) => once(server, "listening"))).then(() => console.error("listening"));
`;

/** Its authority's certificate is ca.crt in `folder`. */
export function certifyReceiver(folder: string): void {
  const { files } = makeCertificates(folder, `DNS:${receiverName}`);
  for (const file of [folder, files.cert, files.ca]) chmodSync(file, 0o755);
  // A throw-away key; the containers run under user ids that own nothing here.
  chmodSync(files.key, 0o644);
}

/** It listens when this resolves. `folder`: what certifyReceiver has filled. */
export async function startReceiver(engine: Engine, network: string, folder: string): Promise<Receiver> {
  const started = await engine.docker([
    ...["run", "--detach", "--no-healthcheck", "--network", network, "--network-alias", receiverName],
    ...["--volume", `${folder}:/tls:ro`, "--volume", `${join(repository, "node_modules")}:/node_modules:ro`],
    ...["--entrypoint", node, image, "-e", program],
  ]);
  const id = started.stdout.trim();
  const stop = async () => void (await engine.docker(["rm", "--force", id]));
  try {
    await eventually("the receiver listens", async () => {
      const said = (await engine.docker(["logs", id])).stderr;
      if (!said.includes("listening")) throw new Error(said);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async told() {
      const { stdout } = await engine.docker(["logs", id]);
      return stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Told);
    },
    stop,
  };
}
