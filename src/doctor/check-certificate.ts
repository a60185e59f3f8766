import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { certifiedHost, daysLeft, describeHost, describeTime } from "../tls/certificate-words.ts";
import { type Check, type Finding, ok, problem, warning } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

interface Shown {
  readonly leaf: X509Certificate;
  readonly protocol: string;
  /** OpenSSL's verdict on who vouches for it; "" where this machine knows the authority. */
  readonly distrust: string;
}

/** Milliseconds. */
const PATIENCE = 4000;

function readCertificate(target: URL, servername: string): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: certifiedHost(target),
      port: Number(target.port || 443),
      ...(isIP(servername) === 0 ? { servername } : {}),
      rejectUnauthorized: false,
      // Names are compared below, with words that say which it has.
      checkServerIdentity: () => undefined,
      timeout: PATIENCE,
    });
    socket.on("secureConnect", () => {
      const leaf = socket.getPeerX509Certificate();
      const distrust = socket.authorized ? "" : String(socket.authorizationError);
      const protocol = socket.getProtocol() ?? "";
      socket.destroy();
      if (leaf === undefined) reject(new Error("no certificate"));
      else resolve({ leaf, protocol, distrust });
    });
    socket.on("timeout", () => socket.destroy(Object.assign(new Error("late"), { code: "ETIMEDOUT" })));
    socket.on("error", reject);
  });
}

function judgeAuthority({ distrust, leaf }: Shown, selfSigned: boolean): Finding | undefined {
  if (distrust === "") return undefined;
  // OpenSSL says only the first thing that it minds, and the dates are told apart from this.
  if (leaf.verify(leaf.publicKey)) {
    const fix =
      "Use a certificate that browsers know, through TLS_CERT_FILE or a proxy, before others depend on it.";
    return selfSigned
      ? warning(
          `the certificate is self-signed, so browsers warn. Its SHA-256 is ${leaf.fingerprint256}. ${fix}`,
        )
      : problem(`the certificate is self-signed, so browsers warn. ${fix}`);
  }
  if (distrust === "CERT_HAS_EXPIRED" || distrust === "CERT_NOT_YET_VALID") return undefined;
  return warning(
    `the certificate can't be traced to an authority that this machine knows (${distrust}). Where the authority is ` +
      "your own, browsers must know it, and NODE_EXTRA_CA_CERTS tells this check; else serve the whole chain.",
  );
}

export const checkCertificate: Check<HttpSubject> = {
  name: "certificate",
  async run({ config, publicUrl, target, direct }) {
    if (target.protocol !== "https:") return [];
    // Asked for by the name that people use, even where --url gives an address behind it.
    const named = direct && publicUrl?.protocol === "https:" ? publicUrl : target;
    let shown: Shown;
    try {
      shown = await readCertificate(target, certifiedHost(named));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "no certificate";
      return [
        problem(
          `https can't be spoken with ${target.host} (${code}). See that it is up and serves https there.`,
        ),
      ];
    }
    const { leaf, protocol } = shown;
    const now = Date.now();
    const time = describeTime(leaf, now);
    const expired = daysLeft(leaf, now) < 0 || Date.parse(leaf.validFrom) > now;
    const host = describeHost(leaf, named);
    const findings = [
      time === undefined ? undefined : expired ? problem(time) : warning(time),
      host === undefined ? undefined : problem(host),
      judgeAuthority(shown, config.tls.kind === "self-signed"),
    ].filter((finding) => finding !== undefined);
    if (findings.length > 0) return findings;
    return [ok(`valid for ${certifiedHost(named)}, ${daysLeft(leaf, now)} days left, ${protocol}`)];
  },
};
