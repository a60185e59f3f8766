import type { Answer, HttpClient } from "./http-client.ts";

/** The page to create on, to open on, and the receipt's: an instance need not serve the first to everybody. */
const PAGES = ["/", "/s", "/r"] as const;
/** What an instance that only opens says in place of the first. */
const LANDING = '<section data-serves="open">';

/** The first page that this instance shows to this machine; what it says of the first where there is none. */
export async function askPage(http: HttpClient): Promise<Answer> {
  const first = await http.ask(PAGES[0]);
  if (first.status !== 403 && first.status !== 404 && !first.body.includes(LANDING)) return first;
  for (const path of PAGES.slice(1)) {
    const answer = await http.ask(path);
    if (answer.status === 200) return answer;
  }
  return first;
}
