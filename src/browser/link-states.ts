import { ApiProblem, explain, type ReceiptView, readReceipt } from "./api.ts";
import { type MyLink, noteUnknown } from "./my-links.ts";

/** Requests at a time: a list of hundreds must not crowd out what the person does meanwhile. */
const AT_ONCE = 4;

/** "unknown": the server doesn't know it, or not any more. "failed": it couldn't be asked. */
export type Known = ReceiptView | "unknown" | "failed";

interface LinkStates {
  /** What is known so far; undefined before the first answer. */
  of(link: MyLink): Known | undefined;
  /**
   * Asks for every one that may have changed, and for `all` also for those that the server didn't know:
   * each of these counts as a try against the address. Resolves with what to tell the person where it
   * went wrong.
   */
  look(links: readonly MyLink[], all: boolean): Promise<string | undefined>;
  /** Asks for this one. */
  lookAt(link: MyLink): Promise<void>;
}

/** Asks the server what became of links. `onKnown` is called after each answer. */
export function createLinkStates(onKnown: (link: MyLink) => void): LinkStates {
  const known = new Map<string, Known>();

  function of({ receiptFragment, unknown }: MyLink): Known | undefined {
    return known.get(receiptFragment) ?? (unknown ? "unknown" : undefined);
  }

  /** An end is final. */
  function mayChange(link: MyLink): boolean {
    const last = of(link);
    return last !== "unknown" && !(typeof last === "object" && last.endedAt !== undefined);
  }

  async function lookAt(link: MyLink): Promise<void> {
    const { receiptFragment, unknown } = link;
    try {
      known.set(receiptFragment, await readReceipt(`wsr_${receiptFragment}`));
      if (unknown) noteUnknown(receiptFragment, false);
    } catch (error) {
      const gone = error instanceof ApiProblem && error.body.code === "not-found";
      if (gone) noteUnknown(receiptFragment, true);
      // What was known a moment ago is better than nothing.
      if (gone || typeof known.get(receiptFragment) !== "object")
        known.set(receiptFragment, gone ? "unknown" : "failed");
      if (!gone) throw error;
    } finally {
      onKnown(link);
    }
  }

  return {
    of,
    lookAt,
    async look(links, all) {
      const unknown = all ? links.filter((link) => of(link) === "unknown") : [];
      const waiting = [...links.filter(mayChange), ...unknown];
      let failure: unknown;
      const work = async () => {
        for (let link = waiting.shift(); link; link = waiting.shift()) {
          try {
            await lookAt(link);
          } catch (error) {
            failure = error;
            // Too many tries, or no server: the next one would fare no better.
            for (const left of waiting.splice(0)) {
              if (!of(left)) known.set(left.receiptFragment, "failed");
              onKnown(left);
            }
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return failure === undefined
        ? undefined
        : explain(failure, "The server can't be reached. Nothing was changed.");
    },
  };
}
