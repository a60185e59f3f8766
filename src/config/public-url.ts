import { ValueError } from "./value-error.ts";

/** The base of links: http or https, host, port and path, nothing else. The path has no slash at its end. */
export function parsePublicUrl(text: string): URL {
  const url = parseUrl(text);
  // The value is not repeated in messages from here on: it may hold a password.
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ValueError(
      "does not start with https:// or http://. Write it like https://secrets.example.com.",
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new ValueError(
      "holds a user or password, which would stand in every link. Remove everything up to the @.",
    );
  }
  if (/[?#]/.test(text)) {
    throw new ValueError("has a ? or #. Links put their own part there; remove it and what follows.");
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  // The path becomes a mount path, where Express gives other characters a meaning of their own.
  if (!/^(\/|(\/[A-Za-z0-9._~-]+)+)$/.test(url.pathname)) {
    throw new ValueError(
      "has a path with other characters than letters, digits and . _ ~ - between single slashes. Choose a plainer path.",
    );
  }
  return url;
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new ValueError("is not an address. Write it with its scheme, like https://secrets.example.com.");
  }
}
