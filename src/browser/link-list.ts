/** A link and whom it is for. */
export interface LabelledLink {
  readonly label: string;
  readonly link: string;
}

/** What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection), in full width too. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

function csvField(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  // Many a spreadsheet takes semicolons for what separates, and would find a formula behind one.
  return /[",;\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/**
 * RFC 4180. A label that a spreadsheet would run as a formula gets an apostrophe in front. The byte order
 * mark is for spreadsheets too, which take the names' letters for another encoding's without it.
 */
export function linksAsCsv(links: readonly LabelledLink[]): string {
  const rows = [["label", "link"], ...links.map(({ label, link }) => [label, link])];
  return `\uFEFF${rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("")}`;
}

/** One to a line, as it is pasted into a message or a note. */
export function linksAsText(links: readonly LabelledLink[]): string {
  return links.map(({ label, link }) => `${label}: ${link}`).join("\n");
}
