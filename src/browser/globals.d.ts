/** The Argon2id worker's file name, hash included; put in by the build. */
declare const WORKER_FILE: string;

// Trusted Types (W3C) are not in the DOM library yet.
interface TrustedScriptURL {
  readonly __brand: "TrustedScriptURL";
}
interface TrustedTypePolicy {
  createScriptURL(url: string): TrustedScriptURL;
}
interface Window {
  readonly trustedTypes?: {
    createPolicy(name: string, rules: { createScriptURL(url: string): string }): TrustedTypePolicy;
  };
}
