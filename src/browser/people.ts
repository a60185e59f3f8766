const MOST = 50;
/** Characters. */
const LONGEST = 100;

/** One label to a line; what is wrong with them, where something is. */
export function parsePeople(
  text: string,
): { readonly people: readonly string[] } | { readonly problem: string } {
  const people = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (people.length > MOST) return { problem: `${people.length} people are too many. The limit is ${MOST}.` };
  const long = people.find((label) => label.length > LONGEST);
  if (long) return { problem: `${long.slice(0, 30)}… is too long. The limit is ${LONGEST} characters.` };
  const twice = people.find((label, i) => people.indexOf(label) !== i);
  if (twice) return { problem: `${twice} is there twice. Write it so that you can tell the links apart.` };
  return { people };
}
