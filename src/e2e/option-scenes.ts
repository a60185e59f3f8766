import type { Page } from "playwright-core";
import { openOptions, type Scene, share } from "./rig.ts";

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const at = (page: Page, name: string) => page.getByRole("heading", { name, exact: true }).waitFor();

const PEOPLE = ["Anna Lindqvist", "בועז", "Everybody in the accounting department in Copenhagen", "Bo"];

async function fillFor(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("Secret", { exact: true }).fill("hunter2\n");
  await page.getByLabel(/^Passphrase/).fill("correct horse");
  await openOptions(page);
  await page.getByLabel("Only from these networks").fill("127.0.0.0/8");
  await page.getByLabel("One link for each person").fill(PEOPLE.join("\n"));
}

/** Creates that never get an answer, or fail, after so many that went well. */
async function breakAfter(page: Page, wellDone: number, how: "stall" | "fail"): Promise<void> {
  let count = 0;
  await page.route("**/api/v1/secrets", async (route) => {
    count += 1;
    if (count <= wellDone) return route.continue();
    if (how === "fail") return route.abort();
  });
}

/** "More options", and what comes of a link for each person. */
export const optionScenes = {
  "create, more options": async (page, { url }) => {
    await page.goto(`${url}/`);
    await openOptions(page);
    await page.getByLabel("Only from these networks").fill("10.0.0.0/8\noffice");
    for (const country of ["Germany", "South Georgia & South Sandwich Islands"]) {
      await page.getByLabel("Only in these countries").fill(country);
      await press(page, "Add country");
    }
    await page.getByLabel("Only in office hours").check();
    await page.getByLabel("What to call it in the e-mail").fill("Contract");
    await page.getByLabel("One link for each person").fill("Anna\nAnna");
    await press(page, "Create link");
    await at(page, "There is a problem");
  },
  "making links": async (page, { url }) => {
    await breakAfter(page, 1, "stall");
    await fillFor(page, url);
    await press(page, "Create link");
    await at(page, "Making links: 2 of 4");
  },
  "links made": async (page, { url }) => {
    await fillFor(page, url);
    await press(page, "Create link");
    await at(page, "Your links are ready");
    await press(page, "Show");
  },
  "links made, some missing": async (page, { url }) => {
    await breakAfter(page, 2, "fail");
    await fillFor(page, url);
    await press(page, "Create link");
    await at(page, "2 of 4 links are ready");
  },
  "links deleted": async (page, waxseal) => {
    await optionScenes["links made"]?.(page, waxseal);
    await press(page, "Delete all now");
    await at(page, "None of the links opens any more");
  },
  "receipt, with rules": async (page, { url }) => {
    const rules = {
      networks: ["10.0.0.0/8", "2001:db8::/32"],
      countries: ["DE", "GS"],
      hours: { zone: "America/Argentina/Buenos_Aires", days: [1, 2, 3, 5], from: "09:00", to: "17:30" },
    };
    const { receipt } = await share(url, { rules });
    await page.goto(receipt);
    await page.getByText("Only from 10.0.0.0/8 or 2001:db8::/32.").waitFor();
  },
} satisfies Readonly<Record<string, Scene>>;
