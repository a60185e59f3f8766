import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { certifiedHost } from "../tls/certificate-words.ts";
import { type Check, ok, problem } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

export const checkName: Check<HttpSubject> = {
  name: "DNS",
  gate: true,
  async run({ target }) {
    const host = certifiedHost(target);
    if (isIP(host) !== 0) return [];
    try {
      const found = await lookup(host, { all: true });
      return [ok(`${host} leads to ${found.map(({ address }) => address).join(", ")}`)];
    } catch (error) {
      const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
      return [
        problem(
          `${host} leads to no address as seen from here${code}. Add it to DNS, correct PUBLIC_URL, or give the address with --url.`,
        ),
      ];
    }
  },
};
