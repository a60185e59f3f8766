import { countryCodes, findCountry } from "../envelope/countries.ts";
import { countryName } from "../envelope/rule-words.ts";

/** The countries that were chosen, as a list from which they can be removed again. */
export interface CountryList {
  readonly field: HTMLInputElement;
  /** Takes in what stands in the field. False where that is no country. */
  add(): boolean;
  readonly codes: () => readonly string[];
  clear(): void;
}

interface Places {
  readonly field: HTMLInputElement;
  readonly button: HTMLElement;
  readonly list: HTMLElement;
  readonly announce: (words: string) => void;
  readonly onUnknown: () => void;
  /** What was unknown before has been corrected. */
  readonly onCorrected: () => void;
}

export function createCountryList({
  field,
  button,
  list,
  announce,
  onUnknown,
  onCorrected,
}: Places): CountryList {
  let chosen: string[] = [];

  const options = countryCodes().map((code) => {
    const option = document.createElement("option");
    option.value = countryName(code);
    return option;
  });
  options.sort((a, b) => a.value.localeCompare(b.value, "en"));
  field.list?.replaceChildren(...options);

  function item(code: string): HTMLLIElement {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = countryName(code);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", `Remove ${countryName(code)}`);
    remove.onclick = () => {
      chosen = chosen.filter((other) => other !== code);
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      list.hidden = chosen.length === 0;
      (neighbour?.querySelector("button") ?? field).focus();
      announce(`${countryName(code)} removed.`);
    };
    row.append(name, remove);
    return row;
  }

  function add(): boolean {
    if (field.value.trim() === "") return true;
    const code = findCountry(field.value);
    if (!code) return false;
    field.value = "";
    announce(`${countryName(code)} added.`);
    if (chosen.includes(code)) return true;
    chosen.push(code);
    list.append(item(code));
    list.hidden = false;
    return true;
  }

  const ask = () => {
    const wasUnknown = field.hasAttribute("aria-invalid");
    if (!add()) onUnknown();
    else if (wasUnknown) onCorrected();
    field.focus();
  };
  button.onclick = ask;
  field.onkeydown = (event) => {
    // In a form, Enter would make the link.
    if (event.key !== "Enter" || field.value.trim() === "") return;
    event.preventDefault();
    ask();
  };

  return {
    field,
    add,
    codes: () => chosen,
    clear() {
      chosen = [];
      list.replaceChildren();
      list.hidden = true;
    },
  };
}
