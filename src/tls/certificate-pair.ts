import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { TLS_POLICY } from "./tls-policy.ts";

/** A certificate chain and its key, PEM, which fit each other, and the certificate of the server itself. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

/** The pair can't be used; the message names the setting and the fix, and holds nothing of the key. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
  readonly code = "certificate";
}

function parseKey(key: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    if (/ENCRYPTED/.test(key)) {
      throw new CertificateError(
        "TLS_KEY_FILE: the key is encrypted, and nobody is here to type its password. " +
          "Decrypt it (openssl pkey -in FILE) and let only this process's user read it.",
      );
    }
    // The cause quotes nothing of the key, but its stack is of no use to anybody either.
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new CertificateError(
      `TLS_KEY_FILE: holds no private key that can be read${code}. Give the PEM file with -----BEGIN PRIVATE KEY-----.`,
    );
  }
}

function parseLeaf(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw new CertificateError(
      "TLS_CERT_FILE: holds no certificate that can be read. Give the PEM file with -----BEGIN CERTIFICATE-----, the server's own first.",
    );
  }
}

/** Throws CertificateError where the two are not a pair that TLS can be served with. */
export function parseCertificatePair(cert: string, key: string): CertificatePair {
  const privateKey = parseKey(key);
  const leaf = parseLeaf(cert);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new CertificateError(
      "TLS_CERT_FILE and TLS_KEY_FILE do not belong together: the key is not that of the first certificate. " +
        "Give the pair that was issued together, with the server's own certificate first in its file.",
    );
  }
  try {
    createSecureContext({ ...TLS_POLICY, cert, key });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
    throw new CertificateError(
      `TLS_CERT_FILE: can't be served (${code}). Use a certificate with an ECDSA P-256 key or an RSA key of 2048 bits or more.`,
    );
  }
  return { cert, key, leaf };
}
