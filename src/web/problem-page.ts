import type { AccessGate } from "./access-gate.ts";
import type { RenderProblemPage } from "./error-handler.ts";
import { createFrame, type PageDeps } from "./pages.ts";

const HEADINGS: Readonly<Record<string, string>> = {
  "not-found": "We can't find this",
  refused: "Not from here",
  limited: "Too many tries",
  unavailable: "The server can't do this right now",
};

/** A problem as a page with a heading, what happened, and a way back. */
export function createProblemPage(
  deps: PageDeps,
  { mayCreate }: Pick<AccessGate, "mayCreate">,
): RenderProblemPage {
  const frame = createFrame(deps);
  return (problem, request, response) => {
    const heading = HEADINGS[problem.code] ?? problem.title;
    const page = frame({ title: heading, seal: "expired" }, mayCreate(request));
    const createHref = problem.code === "refused" ? undefined : page.homeHref;
    const data = { heading, detail: problem.message, createHref };
    response.type("html").send(deps.render("message", data, page));
  };
}
