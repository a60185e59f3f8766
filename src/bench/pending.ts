import { Agent, request } from "node:http";
import { sealSecret } from "../testing/sealed-secret.ts";

const ABREAST = 16;
/** Characters: a private key or a page of notes. Every secret is padded to 1 KiB at least, and this fills that. */
const TEXT = "x".repeat(900);

function create(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Content-Length": body.length };
    const sent = request(`${url}/api/v1/secrets`, { method: "POST", agent, headers }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

/** Leaves `count` sealed secrets of 1 KiB with the server at `url`. Its rate limit has to allow that. */
export async function createPending(url: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: ABREAST });
  let left = count;
  const work = async () => {
    while (left-- > 0) {
      const { body } = await sealSecret({ text: TEXT });
      const status = await create(agent, url, JSON.stringify(body));
      if (status !== 201) throw new Error(`A create was answered with ${status}.`);
    }
  };
  try {
    await Promise.all(Array.from({ length: ABREAST }, work));
  } finally {
    agent.destroy();
  }
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
