import { isIPv6 } from "node:net";
import { ValueError } from "./value-error.ts";

export interface SyslogAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const FORMS = "Write syslog://host[:514] for TCP or syslog+tls://host[:6514] for TLS";

/** The text of AUDIT_SYSLOG_URL. Throws ValueError, whose message does not hold the text. */
export function parseSyslogUrl(text: string): SyslogAddress {
  const match =
    /^syslog(\+tls)?:\/\/(?:\[([^\]]*)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?))(?::(\d{1,5}))?\/?$/.exec(
      text,
    );
  if (match === null) throw new ValueError(`is not the address of a syslog receiver. ${FORMS}.`);
  const [, secured, ipv6, name = "", digits] = match;
  if (ipv6 !== undefined && !isIPv6(ipv6))
    throw new ValueError(`holds no IPv6 address between its brackets. ${FORMS}.`);
  const tls = secured !== undefined;
  const port = digits === undefined ? (tls ? 6514 : 514) : Number(digits);
  if (port < 1 || port > 65_535) throw new ValueError(`has a port out of range. Write 1 to 65535.`);
  return { host: ipv6 ?? name, port, tls };
}
