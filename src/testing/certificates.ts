import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** The same three, as files. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

const HERE = "DNS:localhost,IP:127.0.0.1";

/** An authority of the test's own, and a certificate from it for 127.0.0.1 and localhost or others, in `dir`. */
export function makeCertificates(dir: string, certified = HERE): Certificates {
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => {
    try {
      execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
    } catch (cause) {
      throw new Error("openssl can't make a certificate. Install it: apt-get install openssl", { cause });
    }
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const authority = ["-subj", "/CN=Waxseal test authority", "-keyout", "ca.key", "-out", "ca.crt"];
  openssl("req", "-x509", ...newKey, ...authority);
  const server = ["-subj", "/CN=localhost", "-keyout", "redis.key", "-out", "redis.crt"];
  const names = ["-addext", `subjectAltName=${certified}`];
  openssl("req", "-x509", "-CA", "ca.crt", "-CAkey", "ca.key", ...newKey, ...server, ...names);
  const files = { ca: file("ca.crt"), cert: file("redis.crt"), key: file("redis.key") };
  const read = (path: string) => readFileSync(path, "utf8");
  return { ca: read(files.ca), cert: read(files.cert), key: read(files.key), files };
}
