import { Eta } from "eta";
import type { Config } from "../config/config.ts";

/** The fields on who may open, as they are shown. */
export interface RulesForm {
  /** Whether anything is chosen. */
  any: boolean;
  networks: string;
  countries: string;
  notBefore: string;
  inHours: boolean;
  /** From Monday on. */
  days: readonly { name: string; checked: boolean }[];
  from: string;
  to: string;
  zones: readonly { zone: string; words: string; chosen: boolean }[];
}

/** What each template is given. A name that isn't here can't be rendered, and a field can't be forgotten. */
export interface PageData {
  create: {
    ttlChoices: readonly TtlChoice[];
    /** 0: no file can be added. */
    maxFiles: number;
    assistedHref: string | undefined;
    basePath: string;
    /** Whether senders may choose countries. */
    countries: boolean;
    /** The sender can be told by e-mail what becomes of it. */
    mail: boolean;
    requirePassphrase: boolean;
  };
  open: { assistedHref: string | undefined };
  /** In place of `create` where there is only opening. */
  "opens-here": { assistedHref: string | undefined };
  /** In place of `open` where there is only creating. Addresses without a slash at the end. */
  "opens-elsewhere": { opensAt: string; createsAt: string };
  receipt: {
    assistedHref: string | undefined;
    retention: string;
    states: readonly StateWords[];
    events: readonly { name: string; words: string }[];
    linksHref: string;
  };
  /** `createHref`, here and elsewhere: undefined where nothing can be created, at least by this client. */
  links: { states: readonly StateWords[]; createHref: string | undefined };
  message: { heading: string; detail: string; createHref: string | undefined };
  "assisted-create": {
    action: string;
    openHref: string;
    canOpen: boolean;
    basePath: string;
    /** 0: only text. */
    maxFiles: number;
    /** "25 MB" */
    maxBytesWords: string;
    csrf: string;
    problem: FieldProblem | undefined;
    secret: string;
    passphrase: string;
    requirePassphrase: boolean;
    knowsCountries: boolean;
    rules: RulesForm;
    /** Whether there is somebody to write to. */
    mail: boolean;
    email: string;
    label: string;
    ttlChoices: readonly TtlChoice[];
  };
  "assisted-created": {
    link: string;
    receipt: string;
    expires: string;
    expiresWords: string;
    passphrase: boolean;
    /** What the sender chose, one sentence each. */
    terms: readonly string[];
    openHref: string;
    createHref: string;
  };
  "assisted-open": {
    action: string;
    /** Which of links and receipts can be pasted here. */
    role: Config["role"];
    label: string;
    csrf: string;
    claim: string;
    link: string;
    passphrase: string;
    problem: FieldProblem | undefined;
  };
  "assisted-opened": { texts: readonly string[]; files: readonly { name: string; href: string }[] };
  /** What could not be done on a receipt, to be tried again. */
  "assisted-act": {
    heading: string;
    button: string;
    irreversible: boolean;
    action: string;
    csrf: string;
    act: string;
    receipt: string;
    locked: string;
    problem: FieldProblem;
  };
  "assisted-receipt": {
    heading: string;
    summary: string;
    /** What has just happened. */
    notice: string | undefined;
    /** Who may open it; none where everybody may who has the link. */
    rules: readonly string[];
    /** Undefined where it has ended: nothing can be done any more. */
    live:
      | {
          /** "It is deleted", to which the time belongs. */
          ending: string;
          at: string;
          words: string;
          /** " 9 passphrase tries left.", or empty */
          tries: string;
          action: string;
          csrf: string;
          receipt: string;
          /** Undefined where it isn't locked. */
          locked: string | undefined;
        }
      | undefined;
    events: readonly { words: string; at: string; atWords: string }[];
    createHref: string | undefined;
  };
}

/** How a state is told to the sender. */
export interface StateWords {
  readonly name: string;
  readonly heading: string;
  readonly summary: string;
  readonly seal: Frame["seal"];
}

export interface TtlChoice {
  readonly seconds: number;
  /** "24 hours" */
  readonly words: string;
  readonly chosen: boolean;
}

export interface FieldProblem {
  /** The id of the field that has to change. */
  readonly field: string;
  readonly words: string;
}

/** A file of ours in the page's head: where it is, and its Subresource Integrity value. */
export interface AssetReference {
  readonly href: string;
  readonly integrity: string;
}

/** What the layout needs around any page. */
export interface Frame {
  readonly title: string;
  readonly seal: "sealed" | "opened" | "expired" | "deleted" | "locked";
  /** SVG path data for the seal's outline. */
  readonly rim: string;
  /** Undefined where there is no page to create on, at least for this client. */
  readonly homeHref: string | undefined;
  readonly publicUrl: string;
  /** Where links lead. */
  readonly linkUrl: string;
  readonly maxSecretBytes: number;
  readonly maxFiles: number;
  /** Seconds. */
  readonly redeliveryWindow: number;
  readonly icon: AssetReference;
  readonly style: AssetReference;
  /** None on pages that work without. */
  readonly script: AssetReference | undefined;
}

export type Renderer = <Name extends keyof PageData>(
  name: Name,
  data: PageData[Name],
  frame: Frame,
) => string;

/** Reads each template from `directory` once. */
export function createRenderer(directory: string): Renderer {
  const eta = new Eta({ views: directory, cache: true, autoTrim: [false, "nl"] });
  return (name, data, frame) => eta.render("./layout", { ...frame, body: eta.render(`./${name}`, data) });
}
