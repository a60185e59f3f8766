import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { type CertificatePair, parseCertificatePair } from "./certificate-pair.ts";
import * as der from "./der.ts";

/** Days. The longest that Chromium and Safari take from anybody; a certificate is made at every start. */
const LIFETIME = 397;
const DAY = 86_400_000;

const ECDSA_WITH_SHA256 = der.sequence(der.objectId("1.2.840.10045.4.3.2"));
const COMMON_NAME = der.objectId("2.5.4.3");

/** RFC 5280, section 4.1.2.6; a browser reads the names below, this one is for people. */
function distinguishedName(text: string): Uint8Array {
  return der.sequence(der.set(der.sequence(COMMON_NAME, der.utf8String(text))));
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  // The platform writes the dotted end of an IPv6 address as two groups.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** GeneralName: a dNSName is [2], an iPAddress [7]. */
function generalName(host: string): Uint8Array {
  return isIP(host) === 0
    ? der.implicit(2, Buffer.from(host, "latin1"))
    : der.implicit(7, addressBytes(host));
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  return der.sequence(der.objectId(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
}

/** RFC 5280, section 4.2.1: for a server and nothing else, so that whoever trusts it trusts no authority. */
function extensions(hosts: readonly string[]): Uint8Array {
  return der.sequence(
    extension("2.5.29.19", true, der.sequence()), // basicConstraints: no authority
    extension("2.5.29.15", true, der.flags(0x80, 7)), // keyUsage: digitalSignature
    extension("2.5.29.37", false, der.sequence(der.objectId("1.3.6.1.5.5.7.3.1"))), // serverAuth
    extension("2.5.29.17", false, der.sequence(...hosts.map(generalName))), // subjectAltName
  );
}

/** Each once, the first one first: the host of PUBLIC_URL, and what this machine calls itself. */
function names(host: string): string[] {
  return [...new Set([host, "localhost", "127.0.0.1", "::1"])];
}

/**
 * A certificate for `host` and for this machine's own names, with a key that nothing else has. It is
 * written here rather than by a library because the smallest that is well kept brings 20 packages and a
 * change of the global Reflect with it; Node makes key and signature, and reads the result back.
 */
export function makeSelfSigned(host: string, now: number): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const hosts = names(host);
  // 64 characters is the longest common name there is.
  const name = distinguishedName(host.length <= 64 ? host : "Waxseal");
  const signed = der.sequence(
    der.explicit(0, der.integer(Uint8Array.of(2))), // version 3
    der.integer(Uint8Array.of(1, ...randomBytes(15))),
    ECDSA_WITH_SHA256,
    name,
    // Clocks on an intranet differ.
    der.sequence(der.time(new Date(now - DAY)), der.time(new Date(now + (LIFETIME - 1) * DAY))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der.explicit(3, extensions(hosts)),
  );
  const signature = sign("sha256", signed, privateKey);
  const certificate = der.sequence(signed, ECDSA_WITH_SHA256, der.bitString(signature));
  const base64 = Buffer.from(certificate)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return parseCertificatePair(
    `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
}
