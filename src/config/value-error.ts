/**
 * A setting's text cannot be used. The message is a sentence without the setting's name that says
 * what to write instead, and never repeats a value that may hold a secret.
 */
export class ValueError extends Error {
  override readonly name = "ValueError";
  readonly code = "value";
}

/** The text as it can stand in a message: control characters escaped, long texts cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
