/** Freezes an object, everything in it, and URLs too, whose setters `Object.freeze` leaves working. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (value instanceof URL) fixUrl(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

const urlParts = [
  "href",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;

/** Own read-only properties in front of the prototype's accessors: assigning throws in a module. */
function fixUrl(url: URL): void {
  for (const part of urlParts) Object.defineProperty(url, part, { value: url[part] });
}
