import { readFileSync } from "node:fs";
import type { Server } from "node:https";
import type { Logger } from "pino";
import type { TlsMode } from "../config/config.ts";
import { CertificateError, type CertificatePair, parseCertificatePair } from "./certificate-pair.ts";
import { certifiedHost, describeHost, describeTime } from "./certificate-words.ts";
import { makeSelfSigned } from "./self-signed.ts";
import { TLS_POLICY } from "./tls-policy.ts";
import { watchCertificate } from "./watch-certificate.ts";

/** Milliseconds between two looks at the files; a change is taken at the second look that sees it. */
const LOOK_EVERY = 5000;
const DAY = 86_400_000;

/** How this process serves https. */
export interface ServedTls {
  readonly pair: CertificatePair;
  /** One line for a person to read at start. */
  readonly about: string;
  /** Keeps a server's certificate up to date, and warns once a day while it is near its end. */
  keepCurrent(server: Pick<Server, "setSecureContext">): { stop(): void };
}

function readFiles(certFile: string, keyFile: string): CertificatePair {
  try {
    return parseCertificatePair(readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8"));
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(
      "TLS_CERT_FILE or TLS_KEY_FILE can't be read. Let this process's user read both.",
    );
  }
}

/** Undefined where somebody else ends TLS. Throws CertificateError where the files are no pair. */
export function prepareTls(
  mode: TlsMode,
  publicUrl: URL,
  log: Pick<Logger, "info" | "warn" | "error">,
  lookEvery = LOOK_EVERY,
): ServedTls | undefined {
  if (mode.kind === "off") return undefined;
  const host = certifiedHost(publicUrl);
  const pair =
    mode.kind === "files" ? readFiles(mode.certFile, mode.keyFile) : makeSelfSigned(host, Date.now());

  function warn({ leaf }: CertificatePair): void {
    for (const doubt of [describeTime(leaf, Date.now()), describeHost(leaf, publicUrl)]) {
      if (doubt !== undefined) log.warn(doubt);
    }
  }

  return {
    pair,
    about:
      mode.kind === "self-signed"
        ? `https with a certificate made just now for ${host}. Browsers warn of it: compare its SHA-256 fingerprint ` +
          `with theirs before you go on. ${pair.leaf.fingerprint256}`
        : `https with the certificate for ${pair.leaf.subjectAltName ?? host}, valid until ${pair.leaf.validTo}`,
    keepCurrent(server) {
      let current = pair;
      warn(current);
      const daily = setInterval(() => warn(current), DAY);
      daily.unref();
      const watch =
        mode.kind === "files"
          ? watchCertificate({
              ...mode,
              current,
              every: lookEvery,
              onChange(next) {
                current = next;
                server.setSecureContext({ ...TLS_POLICY, cert: next.cert, key: next.key });
                log.info(`The certificate was read again; the new one is valid until ${next.leaf.validTo}.`);
                warn(next);
              },
              onBroken: (message) =>
                log.error(`The new certificate is not used, the old one stays. ${message}`),
            })
          : undefined;
      return {
        stop() {
          clearInterval(daily);
          watch?.stop();
        },
      };
    },
  };
}
