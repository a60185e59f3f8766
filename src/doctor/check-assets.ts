import { createHash } from "node:crypto";
import { askPage } from "./ask-page.ts";
import { type Check, ok, problem } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

const TAG = /<(?:script|link)\b[^>]*>/g;

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
}

interface Asset {
  readonly path: string;
  readonly integrity: string | undefined;
}

function assetsOf(html: string, basePath: string): Asset[] {
  const tags = (html.match(TAG) ?? []).filter(
    (tag) => tag.startsWith("<script") || tag.includes('rel="stylesheet"'),
  );
  return tags.map((tag) => {
    const address = attribute(tag, "src") ?? attribute(tag, "href") ?? "";
    return {
      path: address.startsWith(`${basePath}/assets/`) ? address.slice(basePath.length) : "",
      integrity: attribute(tag, "integrity"),
    };
  });
}

/** Proxies and content networks "optimise": they rewrite scripts and add their own. */
export const checkAssets: Check<HttpSubject> = {
  name: "scripts and styles",
  async run({ config, http }) {
    const html = (await askPage(http)).body.toString("utf8");
    const assets = assetsOf(html, config.basePath);
    if (assets.length === 0 || assets.some(({ path, integrity }) => path === "" || integrity === undefined)) {
      return [
        problem(
          "the page arrives with scripts or styles that Waxseal did not put there. Let the proxy change nothing.",
        ),
      ];
    }
    const changed: string[] = [];
    for (const { path, integrity } of assets) {
      const { status, body } = await http.ask(path, { headers: { "Accept-Encoding": "identity" } });
      const digest = `sha384-${createHash("sha384").update(body).digest("base64")}`;
      if (status !== 200 || digest !== integrity) changed.push(path);
    }
    if (changed.length > 0) {
      return [
        problem(
          `browsers will refuse ${changed.join(", ")}: changed on the way. Let the proxy change nothing in them.`,
        ),
      ];
    }
    return [ok(`${assets.length} arrive as they were built`)];
  },
};
