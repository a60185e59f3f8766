import { StoreUnavailableError } from "../store/store.ts";
import { until } from "./until.ts";

/** Repeats what the store could not do now, as a client does; nothing else is repeated. */
export async function patiently<T>(act: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  await until(() =>
    act().then(
      (result) => results.push(result) > 0,
      (error: unknown) => {
        if (error instanceof StoreUnavailableError) return false;
        throw error;
      },
    ),
  );
  return results[0] as T;
}
