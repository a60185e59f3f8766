import { element } from "./dom.ts";
import type { PasswordRules } from "./generate-password.ts";

/** What to put into the field, and how hard it is to guess; or only what stands in the way of it. */
interface Made {
  readonly text?: string;
  readonly words: string;
}

type Field = HTMLInputElement | HTMLTextAreaElement;

/** Rounded down: never said to be stronger than it is. */
const about = (bits: number) => `About ${Math.floor(bits)} bits`;

/**
 * A button that fills a field with something random, and choices for it that come out at its first
 * press. It replaces what it made itself; what a person entered it replaces only after asking.
 * The page has, by `name`: the button, `-choices`, `-strength`, `-ask`, `-replace` and `-keep`.
 */
function offer(name: string, field: Field, make: () => Promise<Made>): void {
  const button = element(name, HTMLButtonElement);
  const choices = element(`${name}-choices`, HTMLElement);
  const strength = element(`${name}-strength`, HTMLElement);
  const ask = element(`${name}-ask`, HTMLElement);
  let made = "";
  let turns = 0;

  const isOurs = () => field.value === made;
  const fill = async () => {
    ask.hidden = true;
    const before = field.value;
    turns += 1;
    const turn = turns;
    const { text, words } = await make().catch(() => ({
      text: undefined,
      words: "The code for it couldn't be loaded. Nothing was changed. Try again.",
    }));
    // Something else was chosen or typed meanwhile, while the code was on its way.
    if (turn !== turns || field.value !== before) return;
    choices.hidden = false;
    strength.textContent = words;
    if (text === undefined) return;
    made = text;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  button.addEventListener("click", () => {
    if (field.value === "" || isOurs()) return void fill();
    ask.hidden = false;
    element(`${name}-keep`, HTMLButtonElement).focus();
  });
  element(`${name}-replace`, HTMLButtonElement).addEventListener("click", () => {
    button.focus();
    void fill();
  });
  element(`${name}-keep`, HTMLButtonElement).addEventListener("click", () => {
    ask.hidden = true;
    field.focus();
  });
  choices.addEventListener("input", () => {
    if (field.value === "" || isOurs()) void fill();
  });
  field.addEventListener("input", () => {
    ask.hidden = true;
    // What was said of ours isn't true of what a person has made of it.
    if (!isOurs()) strength.textContent = "";
  });
  field.form?.addEventListener("reset", () => {
    made = "";
    choices.hidden = ask.hidden = true;
    strength.textContent = "";
  });
}

async function passphraseOf(words: HTMLSelectElement): Promise<Made> {
  const { passphraseBits, suggestPassphrase, wordCount } = await import("./suggest-passphrase.ts");
  const count = Number(words.value);
  const size = wordCount.toLocaleString("en");
  return {
    text: suggestPassphrase(count),
    words: `${about(passphraseBits(count))}: ${count} random words out of ${size} (EFF's large list).`,
  };
}

async function passwordOf(): Promise<Made> {
  const { characterSets, generatePassword, passwordBits } = await import("./generate-password.ts");
  const ticked = (set: string) => element(`generate-${set}`, HTMLInputElement).checked;
  const rules: PasswordRules = {
    length: Number(element("generate-length", HTMLInputElement).value),
    letters: ticked("letters"),
    digits: ticked("digits"),
    symbols: ticked("symbols"),
    easy: ticked("easy"),
  };
  element("generate-length-shown", HTMLElement).textContent = String(rules.length);
  const size = characterSets(rules).join("").length;
  if (size === 0) return { words: "Choose letters, digits or symbols." };
  return {
    text: generatePassword(rules),
    words: `${about(passwordBits(rules))}: ${rules.length} random characters out of ${size}.`,
  };
}

export function watchGenerators(secret: HTMLTextAreaElement, passphrase: HTMLInputElement): void {
  offer("generate", secret, passwordOf);
  const words = element("suggest-words", HTMLSelectElement);
  offer("suggest", passphrase, () => passphraseOf(words));
}
