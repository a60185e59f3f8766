import type { RequestHandler } from "express";
import helmet from "helmet";
import type { Config } from "../config/config.ts";

/** The name under which the page's script may make a worker's address into a TrustedScriptURL. */
export const WORKER_POLICY = "waxseal-worker";

const PAGE_POLICY = {
  "default-src": ["'none'"],
  "script-src": ["'self'"],
  "style-src": ["'self'"],
  // blob: for previews of pictures that the page has decrypted itself.
  "img-src": ["'self'", "data:", "blob:"],
  "connect-src": ["'self'"],
  "worker-src": ["'self'"],
  "manifest-src": ["'self'"],
  "form-action": ["'none'"],
  "base-uri": ["'none'"],
  "frame-ancestors": ["'none'"],
  "require-trusted-types-for": ["'script'"],
  "trusted-types": [WORKER_POLICY],
} as const;

/**
 * What pages of text have no use for. Web Share stays allowed for ourselves by its own default: naming
 * it makes browsers that lack it complain in the console of every visitor. So would newer names.
 */
const DENIED_FEATURES =
  "accelerometer autoplay browsing-topics camera clipboard-read compute-pressure cross-origin-isolated " +
  "display-capture encrypted-media fullscreen gamepad geolocation gyroscope hid identity-credentials-get " +
  "idle-detection keyboard-map local-fonts magnetometer microphone midi otp-credentials payment " +
  "picture-in-picture publickey-credentials-create publickey-credentials-get screen-wake-lock serial " +
  "storage-access sync-xhr unload usb window-management xr-spatial-tracking";
const PERMISSIONS_POLICY = [
  ...DENIED_FEATURES.split(" ").map((feature) => `${feature}=()`),
  "clipboard-write=(self)",
].join(", ");

/**
 * On every answer, before anything else can answer. Not so HSTS with a certificate that changes at
 * every start: whoever had trusted the old one could not even click the new one's warning away.
 */
export function createSecurityHeaders({ tls }: Pick<Config, "tls">): RequestHandler {
  const withHelmet = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    crossOriginEmbedderPolicy: { policy: "require-corp" },
    crossOriginOpenerPolicy: { policy: "same-origin" },
    crossOriginResourcePolicy: { policy: "same-origin" },
    referrerPolicy: { policy: "no-referrer" },
    xFrameOptions: { action: "deny" },
    strictTransportSecurity: false,
  });
  // Without includeSubDomains: other names below this one are not ours to decide about.
  const hsts = helmet.strictTransportSecurity({ maxAge: 31_536_000, includeSubDomains: false });

  return (req, res, next) => {
    res.set({
      "Cache-Control": "no-store",
      "Permissions-Policy": PERMISSIONS_POLICY,
      "X-Robots-Tag": "noindex, nofollow, noarchive",
    });
    withHelmet(req, res, (error) => {
      if (error || !req.secure || tls.kind === "self-signed") return next(error);
      // RFC 6797, section 7.2: never over an insecure connection.
      hsts(req, res, () => next());
    });
  };
}

/**
 * For the assisted pages, on top of the others: their forms may be sent, to here. Under `no-referrer`
 * a browser sends `Origin: null` with a form (Fetch, "append a request Origin header"), so one that is
 * too old for Sec-Fetch-Site is refused rather than believed.
 */
export function createAssistedHeaders(): RequestHandler {
  return helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: { ...PAGE_POLICY, "form-action": ["'self'"] },
  });
}
