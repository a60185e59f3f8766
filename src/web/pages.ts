import { brotliCompressSync, gzipSync } from "node:zlib";
import type { RequestHandler } from "express";
import { Router } from "express";
import type { Config } from "../config/config.ts";
import { sealRim } from "../envelope/rim.ts";
import type { AccessGate } from "./access-gate.ts";
import { type Assets, pickEncoding } from "./assets.ts";
import { clientAddress } from "./client-address.ts";
import { durationWords } from "./duration-words.ts";
import { EVENT_WORDS, STATE_WORDS } from "./state-words.ts";
import type { Frame, PageData, Renderer, TtlChoice } from "./views.ts";

export interface PageDeps {
  readonly config: Config;
  readonly assets: Assets;
  readonly render: Renderer;
}

/** The frame of a page, but for what each page decides. Who may not create is not led to where one could. */
export function createFrame({
  config,
  assets,
}: PageDeps): (page: Partial<Frame> & { title: string }, mayCreate: boolean) => Frame {
  const { basePath } = config;
  const common = {
    seal: "sealed",
    rim: sealRim(),
    publicUrl: config.publicUrl.href.replace(/\/$/, ""),
    linkUrl: config.linkUrl.href.replace(/\/$/, ""),
    maxSecretBytes: config.maxSecretBytes,
    maxFiles: config.maxFiles,
    redeliveryWindow: config.redeliveryWindow,
    icon: assets.reference("icon.svg", basePath),
    style: assets.reference("waxseal.css", basePath),
    script: undefined,
  } as const;
  return (page, mayCreate) => ({ ...common, homeHref: mayCreate ? `${basePath}/` : undefined, ...page });
}

/** The choices of "Delete after" up to `longest`, with `chosen` or the next shorter one preselected. */
export function ttlChoices({ ttlChoices }: Config, longest: number, chosen: number): TtlChoice[] {
  const allowed = ttlChoices.filter((seconds) => seconds <= longest);
  const nearest = Math.max(...allowed.filter((seconds) => seconds <= chosen));
  return allowed.map((seconds) => ({
    seconds,
    words: durationWords(seconds),
    chosen: seconds === nearest,
  }));
}

/** A page that is the same for everyone: rendered and compressed once, then sent from memory. */
export function constantPage(html: string, status = 200): RequestHandler {
  const body = Buffer.from(html);
  const encodings = new Map([
    ["br", brotliCompressSync(body)],
    ["gzip", gzipSync(body, { level: 9 })],
    ["identity", body],
  ] as const);
  return (request, response, next) => {
    const picked = pickEncoding(request, encodings);
    if (!picked) return next();
    const [encoding, bytes] = picked;
    response.status(status);
    response.set("Content-Type", "text/html; charset=utf-8");
    response.vary("Accept-Encoding");
    if (encoding !== "identity") response.set("Content-Encoding", encoding);
    response.end(bytes);
  };
}

/** The page that `draw` makes for who may create, or else for who may not. Each is drawn once, now. */
export function forWhoMayCreate(
  { mayCreate }: Pick<AccessGate, "mayCreate">,
  draw: (mayCreate: boolean) => RequestHandler,
): RequestHandler {
  const [may, mayNot] = [draw(true), draw(false)];
  return (request, response, next) => (mayCreate(request) ? may : mayNot)(request, response, next);
}

/**
 * The scripted pages. None of them knows which secret it is about: what names and opens one
 * stands in the fragment, which no browser sends.
 */
export function createPages(deps: PageDeps, gate: AccessGate): Router {
  const { demands, creating } = gate;
  const { config, assets, render } = deps;
  const { basePath } = config;
  const frame = createFrame(deps);
  const assistedHref = (path: string) => (config.assisted ? `${basePath}/assisted${path}` : undefined);
  const page = <Name extends "create" | "open" | "receipt" | "links">(
    name: Name,
    title: string,
    data: PageData[Name],
    mayCreate: boolean,
  ) => {
    const script = assets.reference(`${name}.js`, basePath);
    return constantPage(render(name, data, frame({ title, script }, mayCreate)));
  };

  /** One for each longest time to live that a client's network may have. */
  const creates = new Map(
    [...demands.maxTtls].map((longest) => {
      const data = {
        ttlChoices: ttlChoices(config, longest, config.defaultTtl),
        maxFiles: config.maxFiles,
        assistedHref: assistedHref(""),
        basePath,
        countries: config.geoipDb !== undefined,
        mail: config.mail !== undefined,
        requirePassphrase: config.requirePassphrase,
      };
      return [longest, page("create", "Share a secret", data, true)] as const;
    }),
  );
  const create: RequestHandler = (request, response, next) =>
    creates.get(demands.maxTtl(clientAddress(request)))?.(request, response, next);
  const open = forWhoMayCreate(gate, (mayCreate) =>
    page("open", "A secret for you", { assistedHref: assistedHref("/open") }, mayCreate),
  );
  const receipt = forWhoMayCreate(gate, (mayCreate) => {
    const data = {
      assistedHref: assistedHref("/open"),
      retention: durationWords(config.retention),
      states: STATE_WORDS,
      events: EVENT_WORDS,
      linksHref: `${basePath}/links`,
    };
    return page("receipt", "What became of it", data, mayCreate);
  });
  const links = forWhoMayCreate(gate, (mayCreate) => {
    const data = { states: STATE_WORDS, createHref: mayCreate ? `${basePath}/` : undefined };
    return page("links", "My links", data, mayCreate);
  });

  const router = Router();
  if (config.role !== "open") {
    router.get("/", creating, create);
    router.get("/r", receipt);
    router.get("/links", links);
  }
  if (config.role !== "create") router.get("/s", open);
  return router;
}
