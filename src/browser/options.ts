import { closingTime, type OfficeHours, opensBetween } from "../envelope/office-hours.ts";
import { ruleWords, toldWords } from "../envelope/rule-words.ts";
import type { Rules, Terms } from "./api.ts";
import { createCountryList } from "./country-list.ts";
import type { FieldProblem } from "./field-problems.ts";
import { problemWithNetwork } from "./network.ts";
import { parsePeople } from "./people.ts";

/** What stands under "More options". */
export interface Chosen {
  readonly terms: Pick<Terms, "rules" | "notify">;
  /** The same as sentences. */
  readonly words: readonly string[];
  /** Labels, each of whom gets a link. Empty: one link, for whoever. */
  readonly people: readonly string[];
}

export interface Options {
  /** `ttl` is in seconds. Nothing may be encrypted while there are problems. */
  read(ttl: number): { readonly chosen: Chosen; readonly problems: readonly FieldProblem[] };
  clear(): void;
}

/** Handed over for the same reason as in upload.ts. */
export type OptionsTools = Pick<typeof import("./dom.ts"), "element" | "announce" | "formatTime"> &
  Pick<typeof import("./field-problems.ts"), "showProblems">;

const MOST_NETWORKS = 32;
const MOST_COUNTRIES = 64;

/** The reader's own first; a browser that knows no list knows that one. */
function fillZones(select: HTMLSelectElement): void {
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  const zones = [...new Set([own, ...known, "UTC"])].sort();
  select.replaceChildren(...zones.map((zone) => new Option(zone.replaceAll("_", " "), zone, zone === own)));
  select.value = own;
}

export function createOptions({ element, announce, formatTime, showProblems }: OptionsTools): Options {
  const networks = element("networks", HTMLTextAreaElement);
  const notBefore = element("not-before", HTMLInputElement);
  const inHours = element("in-hours", HTMLInputElement);
  const hours = element("hours", HTMLElement);
  const from = element("hours-from", HTMLInputElement);
  const to = element("hours-to", HTMLInputElement);
  const zone = element("hours-zone", HTMLSelectElement);
  const people = element("people", HTMLTextAreaElement);
  const days = [...element("days", HTMLElement).querySelectorAll("input")];
  const countries = document.getElementById("country") ? watchCountries() : undefined;
  const mailTo = document.getElementById("mail-to") && element("mail-to", HTMLInputElement);
  let problems: FieldProblem[] = [];

  fillZones(zone);
  const showHours = () => {
    hours.hidden = !inHours.checked;
  };
  inHours.onchange = showHours;
  showHours();

  function watchCountries() {
    const field = element("country", HTMLInputElement);
    return createCountryList({
      field,
      button: element("add-country", HTMLButtonElement),
      list: element("countries", HTMLElement),
      announce,
      onUnknown: () => showProblems([{ field, words: unknownCountry(field) }]),
      onCorrected: () => showProblems([]),
    });
  }

  const unknownCountry = ({ value }: HTMLInputElement) =>
    `We don't know the country ${value.trim()}. Choose one from the list, or write its code, such as DE.`;

  function wrong(field: HTMLElement, words: string): undefined {
    problems.push({ field, words });
  }

  function readNetworks(): Rules["networks"] {
    const list = networks.value.split(/[\s,;]+/).filter((network) => network !== "");
    const problem = list.map(problemWithNetwork).find((words) => words !== undefined);
    if (problem) return wrong(networks, problem);
    if (list.length > MOST_NETWORKS)
      return wrong(networks, `${list.length} networks are too many. The limit is ${MOST_NETWORKS}.`);
    return list.length > 0 ? list : undefined;
  }

  function readCountries(): Rules["countries"] {
    if (!countries) return undefined;
    // What was typed and not added yet is meant all the same.
    if (!countries.add()) return wrong(countries.field, unknownCountry(countries.field));
    const codes = countries.codes();
    if (codes.length > MOST_COUNTRIES)
      return wrong(
        countries.field,
        `${codes.length} countries are too many. The limit is ${MOST_COUNTRIES}.`,
      );
    return codes.length > 0 ? codes : undefined;
  }

  function readNotBefore(now: number, end: number): string | undefined {
    // The browser gives an empty value for half a date.
    if (notBefore.validity.badInput) return wrong(notBefore, "Enter the whole date and time, or neither.");
    if (notBefore.value === "") return undefined;
    const time = new Date(notBefore.value);
    if (time.getTime() <= now) return wrong(notBefore, "That time is over. Choose a later one, or none.");
    if (time.getTime() >= end)
      return wrong(notBefore, "The secret is deleted by then. Choose an earlier time, or delete it later.");
    return time.toISOString().replace(/\.\d+Z$/, "Z");
  }

  function readHours(start: number, end: number): OfficeHours | undefined {
    if (!inHours.checked) return undefined;
    const chosen = days.flatMap((day, i) => (day.checked ? [i + 1] : []));
    const [first = inHours] = days;
    if (chosen.length === 0) return wrong(first, "Choose a day, or switch off the office hours.");
    if (from.value === "") return wrong(from, "Enter when the office opens.");
    if (to.value === "") return wrong(to, "Enter when the office closes.");
    const read = { zone: zone.value, days: chosen, from: from.value, to: closingTime(to.value) };
    if (read.from === read.to)
      return wrong(to, "The office opens and closes at the same time. Enter another.");
    if (!opensBetween(read, start, end))
      return wrong(
        inHours,
        "The secret is deleted before the office opens. Delete it later, or choose more hours.",
      );
    return read;
  }

  function readNotify(): Terms["notify"] {
    const email = mailTo?.value.trim() ?? "";
    const label = document.getElementById("mail-label")
      ? element("mail-label", HTMLInputElement).value.trim()
      : "";
    if (!mailTo || (email === "" && label === "")) return undefined;
    if (!/^[^\s@]+@[^\s@]+$/.test(email))
      return wrong(mailTo, "Enter one e-mail address, such as you@example.com, or empty both fields.");
    return { email, ...(label === "" ? {} : { label }) };
  }

  return {
    read(ttl) {
      problems = [];
      const now = Date.now();
      const end = now + ttl * 1_000;
      const [ranges, codes, start] = [readNetworks(), readCountries(), readNotBefore(now, end)];
      const office = readHours(start ? Date.parse(start) : now, end);
      const rules = {
        ...(ranges && { networks: ranges }),
        ...(codes && { countries: codes }),
        ...(start && { notBefore: start }),
        ...(office && { hours: office }),
      };
      const notify = readNotify();
      const several = parsePeople(people.value);
      if ("problem" in several) wrong(people, several.problem);
      const terms = { ...(Object.keys(rules).length > 0 && { rules }), ...(notify && { notify }) };
      const words = ruleWords(rules, formatTime);
      if (notify) words.push(toldWords(notify.email));
      return { chosen: { terms, words, people: "people" in several ? several.people : [] }, problems };
    },
    clear() {
      countries?.clear();
      hours.hidden = true;
      element("more", HTMLDetailsElement).open = false;
    },
  };
}
