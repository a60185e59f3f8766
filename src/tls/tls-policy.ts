import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";

/**
 * TLS 1.3, and 1.2 with forward secrecy and AEAD only: what nginx's and Mozilla's "intermediate" lists
 * come down to once CBC and finite-field Diffie-Hellman are left out. Every browser that the pages
 * run in speaks 1.3; 1.2 is for programs.
 */
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];

/**
 * Given whole at every `setSecureContext`, which forgets what it is not given. No tickets: their key
 * would live as long as the process, and in TLS 1.2 whoever gets it reads what was recorded before.
 */
export const TLS_POLICY: SecureContextOptions = {
  minVersion: "TLSv1.2",
  ciphers: CIPHERS.join(":"),
  // All of them are good, so a client without AES in hardware may have ChaCha20.
  honorCipherOrder: false,
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
};
