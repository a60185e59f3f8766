import { describeSettings, type SettingName, type Source } from "./schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
/** A file's text; throws where it cannot be read. */
export type ReadFile = (path: string) => string;

export type Texts = Partial<Record<SettingName, string>>;

/**
 * The texts of all settings that are set, from variables and files; faults go to `report`. Empty and
 * blank variables count as unset, because compose files and charts pass `NAME=""` for what nobody set.
 */
export function readTexts(
  environment: Environment,
  readFile: ReadFile,
  report: (name: SettingName, problem: string) => void,
): Texts {
  const texts: Texts = {};
  for (const { name, source } of describeSettings()) {
    const value = trimmed(environment[name]);
    const path = source === "value-or-file" ? trimmed(environment[`${name}_FILE`]) : undefined;
    if (value !== undefined && path !== undefined) {
      report(name, `${name} and ${name}_FILE are both set. Remove one of them.`);
    } else if (path !== undefined) {
      const text = read(`${name}_FILE`, path);
      if (text !== undefined) texts[name] = text;
    } else if (value !== undefined) {
      const text = source === "contents" ? read(name, value) : value;
      if (text !== undefined) texts[name] = text;
    }

    function read(variable: string, file: string): string | undefined {
      const problem = `${variable}: `;
      const result = readText(readFile, file);
      if (typeof result === "string") return result;
      report(name, problem + result.problem);
      return undefined;
    }
  }
  return texts;
}

/**
 * A file's text without the newline that editors and `echo` put at its end. Problems never repeat the
 * path: whoever confuses NAME with NAME_FILE has put the secret itself there.
 */
export function readText(readFile: ReadFile, path: string): string | { readonly problem: string } {
  if (path.includes("-----BEGIN") || path.includes("://")) {
    return { problem: "holds the content itself. Put it into a file and write the file's path here." };
  }
  let content: string;
  try {
    content = readFile(path);
  } catch (error) {
    return {
      problem: `the file cannot be read${reason(error)}. Correct the path, or let this process's user read it.`,
    };
  }
  const text = content.replace(/\r?\n$/, "");
  if (text.trim() === "")
    return { problem: "the file is empty. Write the value into it, or unset the variable." };
  return text;
}

/** The names that are read: NAME, and NAME_FILE where a setting may come from a file. */
export function knownNames(): ReadonlySet<string> {
  const fileToo = (source: Source) => source === "value-or-file";
  return new Set(
    describeSettings().flatMap(({ name, source }) => (fileToo(source) ? [name, `${name}_FILE`] : [name])),
  );
}

function trimmed(text: string | undefined): string | undefined {
  const value = text?.trim();
  return value === "" ? undefined : value;
}

/** Node's error code only: its message holds the path. */
function reason(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? ` (${error.code})`
    : "";
}
