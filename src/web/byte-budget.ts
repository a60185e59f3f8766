import { Problem } from "./problem.ts";

/** Takes `bytes` of it, and gives back what returns them. Throws `unavailable` where that much isn't left. */
export type ByteBudget = (bytes: number) => () => void;

/** Seconds. */
const TRY_AGAIN = 5;

/** Memory that requests share whose bodies have to be held whole: `total` bytes in this process. */
export function createByteBudget(total: number): ByteBudget {
  let left = total;
  return (bytes) => {
    if (bytes > left) {
      throw new Problem("unavailable", "The server is busy with other large forms. Try again in a moment.", {
        headers: { "Retry-After": String(TRY_AGAIN) },
      });
    }
    left -= bytes;
    let held = true;
    return () => {
      if (held) left += bytes;
      held = false;
    };
  };
}
