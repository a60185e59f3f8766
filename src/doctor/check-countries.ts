import { CountriesError, openCountries } from "../access/countries.ts";
import { type Check, ok, problem } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";

const quiet = { info() {}, error() {} };

/** The file that the server reads at start and each time that it is replaced. */
export const checkCountries: Check<Pick<HttpSubject, "config">> = {
  name: "countries",
  async run({ config: { geoipDb } }) {
    if (geoipDb === undefined) return [];
    try {
      const countries = await openCountries({ path: geoipDb, log: quiet });
      countries.close();
      return [ok(`the server can tell ${countries.about}`)];
    } catch (error) {
      if (!(error instanceof CountriesError)) throw error;
      return [problem(error.message)];
    }
  },
};
