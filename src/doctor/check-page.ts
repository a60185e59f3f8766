import { askPage } from "./ask-page.ts";
import { type Check, type Finding, ok, problem } from "./finding.ts";
import { type Answer, NoAnswerError } from "./http-client.ts";
import type { HttpSubject } from "./http-subject.ts";

function judge(answer: Answer, { publicUrl, target }: HttpSubject): Finding {
  const { status, headers, body } = answer;
  if (status >= 300 && status < 400) {
    return problem(
      `${target.href} sends visitors on to ${headers.location ?? "nowhere"}. Set PUBLIC_URL to the address that serves the page itself.`,
    );
  }
  if (status === 502 || status === 503 || status === 504) {
    return problem(
      `${target.href} answers ${status}: what stands in front does not reach Waxseal. See that it runs, and that the proxy passes on to its PORT.`,
    );
  }
  const served = /<html[^>]* data-public-url="([^"]*)"/.exec(body.toString("utf8"))?.[1];
  if (status !== 200 || served === undefined) {
    return problem(
      `${target.href} answers ${status} and not with Waxseal's page. Correct PUBLIC_URL, its path included, or the proxy.`,
    );
  }
  const expected = publicUrl?.href.replace(/\/$/, "");
  if (expected !== undefined && served !== expected) {
    return problem(
      `the server there makes links to ${served}, and this configuration says ${expected}. Give both the same PUBLIC_URL.`,
    );
  }
  return ok(`${target.href} serves Waxseal`);
}

export const checkPage: Check<HttpSubject> = {
  name: "page",
  gate: true,
  async run(subject) {
    try {
      return [judge(await askPage(subject.http), subject)];
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return [
        problem(
          `${subject.target.href} does not answer: ${error.message}. Start the server, correct PUBLIC_URL, or give an address with --url.`,
        ),
      ];
    }
  },
};

export const checkReady: Check<HttpSubject> = {
  name: "readiness",
  async run({ http }) {
    const { status } = await http.ask("/readyz");
    if (status === 200) return [ok("the server is ready for requests")];
    return [
      problem(
        `/readyz answers ${status}: the server is not ready. See that its Redis runs; its log says more.`,
      ),
    ];
  },
};
