import type { SecretId } from "../envelope/tokens.ts";
import type { Store } from "../store/store.ts";
import { currentRequest } from "./request-log.ts";

/**
 * The same store, which tells from which address each secret was opened. Told as the open returns, so
 * before anybody can act on its result.
 */
export function noteOpeners(store: Store, note: (id: SecretId, address: string) => void): Store {
  return {
    ...store,
    async open(request) {
      const result = await store.open(request);
      const client = currentRequest()?.client;
      if (result.kind === "handed-over" && result.first && client !== undefined) note(request.id, client);
      return result;
    },
  };
}
