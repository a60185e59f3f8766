/** The workers' file names, hash included; put in by the build. */
declare const ARGON2ID_WORKER: string;
declare const SEAL_WORKER: string;

// The build puts a text file into the script as a string.
declare module "*.txt" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: so esbuild has it
  export default text;
}

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
  // File System Access (WICG): Chromium only, by 2026.
  readonly showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle>;
}
