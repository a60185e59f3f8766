import type { Config } from "../config/config.ts";
import type { Store } from "../store/store.ts";
import type { AccessGate } from "./access-gate.ts";
import type { Audit } from "./audit.ts";
import type { Limits } from "./limits.ts";
import type { UploadPlaces } from "./upload-places.ts";

/** What the routes share. */
export interface RouteDeps {
  readonly config: Config;
  /** Instrumented: whoever calls it need not count or write down anything. */
  readonly store: Store;
  readonly limits: Limits;
  readonly gate: AccessGate;
  readonly audit: Audit;
  readonly uploads: UploadPlaces;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}
