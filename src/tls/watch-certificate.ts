import { readFile } from "node:fs/promises";
import { CertificateError, type CertificatePair, parseCertificatePair } from "./certificate-pair.ts";

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface WatchOptions extends CertificateFiles {
  /** What is served now. */
  readonly current: CertificatePair;
  /** Milliseconds between two looks. */
  readonly every: number;
  /** A new pair, found good. */
  readonly onChange: (pair: CertificatePair) => void;
  /** Once for each pair of files that can't be used; the old one stays in use. The message names the fix. */
  readonly onBroken: (message: string) => void;
}

/** Both texts; undefined while one of them is not there, as between the two steps of a replacement. */
async function readPair({ certFile, keyFile }: CertificateFiles) {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
    return { cert, key };
  } catch {
    return undefined;
  }
}

/**
 * Looks at the files' contents again and again: Kubernetes and certbot swap symbolic links, mounted
 * folders report no events, and modification times may go backwards. What has changed is taken only
 * when it reads the same twice, because certificate and key are rarely replaced in one act.
 */
export function watchCertificate(options: WatchOptions): { stop(): void } {
  const textOf = (pair: { cert: string; key: string } | undefined) =>
    pair === undefined ? "" : `${pair.cert}\0${pair.key}`;
  let settled = textOf(options.current);
  let seen = settled;
  let stopped = false;
  let timer: NodeJS.Timeout;

  function take(pair: { cert: string; key: string } | undefined): void {
    if (pair === undefined) {
      options.onBroken("TLS_CERT_FILE or TLS_KEY_FILE can't be read any more. Put the files back.");
      return;
    }
    try {
      options.onChange(parseCertificatePair(pair.cert, pair.key));
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      options.onBroken(error.message);
    }
  }

  async function look(): Promise<void> {
    const pair = await readPair(options);
    const text = textOf(pair);
    if (text === seen && text !== settled && !stopped) {
      settled = text;
      take(pair);
    }
    seen = text;
  }

  function again(): void {
    if (stopped) return;
    timer = setTimeout(() => void look().finally(again), options.every);
    timer.unref();
  }
  again();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
