/** What becomes by itself of a secret that has not ended; the time follows. */
export const endingWords = (state: string) =>
  state === "uploading" ? "Unless more of it arrives, it is given up" : "It is deleted";

/** " 9 passphrase tries left.", to follow another sentence; empty where it has no passphrase. */
export function triesWords(triesLeft: number | undefined): string {
  if (triesLeft === undefined) return "";
  return ` ${triesLeft} passphrase ${triesLeft === 1 ? "try" : "tries"} left.`;
}
