import type { Config } from "../config/config.ts";
import type { HttpClient } from "./http-client.ts";

/** What the checks over HTTP look at. */
export interface HttpSubject {
  readonly config: Config;
  /** Where links lead people to. Undefined where only `--url` was given: the page says it then. */
  readonly publicUrl: URL | undefined;
  /** Where requests are sent: `publicUrl`, or what `--url` says. No slash at its end. */
  readonly target: URL;
  /** `--url` leads past whatever stands in front of the service. */
  readonly direct: boolean;
  readonly http: HttpClient;
}
