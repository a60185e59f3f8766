import type { Test } from "supertest";
import type { TestApp } from "./test-app.ts";

type Fields = Readonly<Record<string, string>>;

/** Sends the form of the page at `path` as a browser without script does, with the page's token and cookie. */
export async function submitForm(
  { http }: TestApp,
  path: string,
  fields: Fields,
  headers: Fields = {},
): Promise<Awaited<Test>> {
  const form = await http.get(path).expect(200);
  const csrf = /name="csrf" value="([^"]*)"/.exec(form.text)?.[1];
  return http
    .post(path)
    .set({ Accept: "text/html", Cookie: form.get("Set-Cookie")?.join("; ") ?? "", ...headers })
    .type("form")
    .send({ csrf, ...fields });
}

/** What a page shows in fields that can only be read: links and receipts. */
export const readonlyIn = (text: string): string[] =>
  [...text.matchAll(/<textarea[^>]*readonly>([^<]*)</g)].map(([, line = ""]) => line);
