/**
 * The officially assigned codes of ISO 3166-1 alpha-2, which Intl does not list, and XK, under which databases
 * keep Kosovo. A code that stands for another, as UK for GB, is none: no database knows it.
 */
export const countryCodes = () =>
  (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY " +
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK " +
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR " +
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK " +
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM " +
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF " +
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
  ).split(" ");

/** As people type it: without accents, and in whatever case. */
function plain(name: string, locale?: string): string {
  const letters = name.trim().toLocaleLowerCase(locale).normalize("NFD");
  return letters
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/\s*&\s*/g, " and ")
    .replaceAll("’", "'");
}

const known = new Map<string | undefined, ReadonlyMap<string, string>>();

/** Code by name in that language. */
function countriesByName(locale?: string): ReadonlyMap<string, string> {
  const found = known.get(locale);
  if (found) return found;
  const names = new Intl.DisplayNames(locale, { type: "region" });
  const codes = new Map(countryCodes().map((code) => [plain(names.of(code) ?? code, locale), code]));
  known.set(locale, codes);
  return codes;
}

/** The code for what somebody typed: a code, an English name, or a name in the language of `locale`. */
export function findCountry(text: string, locale?: string): string | undefined {
  const typed = text.trim().toLocaleUpperCase("en");
  if (countryCodes().includes(typed)) return typed;
  return countriesByName("en").get(plain(text, "en")) ?? countriesByName(locale).get(plain(text, locale));
}
