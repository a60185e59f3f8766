import { StoreUnavailableError } from "../store/store.ts";
import { until } from "./until.ts";

/** Repeats what the store could not do now, as a client does; nothing else is repeated. */
export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  let last: unknown;
  await until(() =>
    act().then(
      (result) => results.push(result) > 0,
      (error: unknown) => {
        if (!(error instanceof StoreUnavailableError)) throw error;
        last = error;
        return false;
      },
    ),
  ).catch((error: unknown) => {
    if (error instanceof Error && last !== undefined) error.cause ??= last;
    throw error;
  });
  return results[0] as T;
}
