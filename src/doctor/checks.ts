import { checkForbidden, checkNeeded } from "./check-acl.ts";
import { checkAssets } from "./check-assets.ts";
import { checkCertificate } from "./check-certificate.ts";
import { checkHttpClock, checkRedisClock } from "./check-clock.ts";
import { checkCountries } from "./check-countries.ts";
import { checkHeaders } from "./check-headers.ts";
import { checkName } from "./check-name.ts";
import { checkPage, checkReady } from "./check-page.ts";
import { checkProxyTrust } from "./check-proxy-trust.ts";
import {
  checkEviction,
  checkMaster,
  checkMemory,
  checkMode,
  checkPersistence,
  checkReplicas,
  checkSlowLog,
  checkVersion,
} from "./check-redis.ts";
import { checkRoundTrip } from "./check-round-trip.ts";
import { checkSecureContext } from "./check-secure-context.ts";
import type { Check } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";
import type { RedisSubject } from "./redis-subject.ts";

/** In the order in which they are told. */
export const httpChecks: readonly Check<HttpSubject>[] = [
  checkCountries,
  checkSecureContext,
  checkName,
  checkCertificate,
  checkPage,
  checkReady,
  checkHeaders,
  checkAssets,
  checkHttpClock,
  checkProxyTrust,
  checkRoundTrip,
];

export const redisChecks: readonly Check<RedisSubject>[] = [
  checkMode,
  checkVersion,
  checkMaster,
  checkEviction,
  checkPersistence,
  checkMemory,
  checkReplicas,
  checkForbidden,
  checkNeeded,
  checkSlowLog,
  checkRedisClock,
];
