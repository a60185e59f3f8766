import { describeDoubts, isLocal } from "../web/start-words.ts";
import { type Check, ok, problem } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

/** W3C Secure Contexts: without https, and elsewhere than on localhost, pages have no Web Crypto. */
export const checkSecureContext: Check<HttpSubject> = {
  name: "secure context",
  run({ config, publicUrl }) {
    if (publicUrl === undefined) return [];
    const [doubt] = describeDoubts({ ...config, publicUrl });
    if (doubt !== undefined) return [problem(doubt)];
    if (publicUrl.protocol === "http:" && isLocal(publicUrl.hostname)) {
      return [ok(`browsers encrypt at ${publicUrl.origin}, which only this machine can reach`)];
    }
    return [ok(`browsers encrypt at ${publicUrl.origin}`)];
  },
};
