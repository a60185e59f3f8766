import { rootCertificates } from "node:tls";
import nodemailer, { type SMTPTransportOptions } from "nodemailer";
import type { MailConfig } from "../config/config.ts";

/** Milliseconds; a delivery has a limit of its own besides. */
const CONNECT_PATIENCE = 10_000;
const SILENCE_PATIENCE = 30_000;

/** Without STARTTLS the connection ends: somebody between may have cut the offer out (RFC 3207, section 6). */
const SECURITY = {
  starttls: { secure: false, requireTLS: true },
  tls: { secure: true },
  none: { secure: false, ignoreTLS: true },
} as const;

/**
 * One connection for each mail, as SMTP_URL says, and nothing on it but what we write: no file and no
 * URL is read into a mail. `helo` is what we call ourselves.
 */
export function createMailTransport({ server, ca }: MailConfig, helo: string) {
  const { security, host, port, username: user, password: pass } = server;
  const options: SMTPTransportOptions = {
    host,
    port,
    ...SECURITY[security],
    ...(user === undefined ? {} : { auth: { user, pass } }),
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
    name: helo,
    connectionTimeout: CONNECT_PATIENCE,
    greetingTimeout: CONNECT_PATIENCE,
    dnsTimeout: CONNECT_PATIENCE,
    socketTimeout: SILENCE_PATIENCE,
    maxResponseSize: 65_536,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  return nodemailer.createTransport(options);
}
