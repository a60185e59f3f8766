/** `to` is the first minute that is over. */
export interface OfficeHours {
  /** An IANA name, such as "Europe/Berlin". */
  readonly zone: string;
  /** 1 is Monday, 7 is Sunday. */
  readonly days: readonly number[];
  /** "HH:MM" */
  readonly from: string;
  /** "HH:MM", "24:00" too */
  readonly to: string;
}

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** Milliseconds. */
const MINUTE = 60_000;
/** All zones of today are such steps from Greenwich, and from their own summer time. */
const QUARTER = 15 * MINUTE;

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/**
 * Tells of moments (milliseconds since 1970) whether they are within the hours. A span that goes over
 * midnight, such as 22:00 to 06:00, belongs to the day on which it begins. The clock on the zone's walls
 * decides, summer time included: of an hour that it shows twice both count, one that it skips is nobody's.
 */
function createClock({ zone, days, from, to }: OfficeHours): (now: number) => boolean {
  const [start, end] = [minutesOf(from), minutesOf(to)];
  const wall = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return (now) => {
    const shown = new Map(wall.formatToParts(now).map(({ type, value }) => [type, value]));
    const day = WEEKDAYS.indexOf(shown.get("weekday") ?? "") + 1;
    const minutes = minutesOf(`${shown.get("hour")}:${shown.get("minute")}`);
    if (start < end) return days.includes(day) && start <= minutes && minutes < end;
    const dayBefore = day === 1 ? 7 : day - 1;
    return (days.includes(day) && start <= minutes) || (days.includes(dayBefore) && minutes < end);
  };
}

/** Whether `now` (milliseconds since 1970) is within the hours. */
export function isWithinHours(hours: OfficeHours, now: number): boolean {
  return createClock(hours)(now);
}

/** Of the two ends of a day, the clock of a form shows only the first: there, an office that closes at 00:00 does so at 24:00. */
export const closingTime = (shown: string): string => (shown === "00:00" ? "24:00" : shown);

/**
 * Whether the office is open for a moment at least from `start` to `end` (milliseconds since 1970), so
 * that somebody could open the secret at all.
 */
export function opensBetween(hours: OfficeHours, start: number, end: number): boolean {
  const isOpen = createClock(hours);
  if (start < end && isOpen(start)) return true;
  // It opens at `from`, or where a clock that is put forward leaves that out, as often as each quarter at most.
  const opening = (minutesOf(hours.from) * MINUTE) % QUARTER;
  for (let quarter = Math.floor(start / QUARTER) * QUARTER; quarter < end; quarter += QUARTER) {
    if ([quarter, quarter + opening].some((at) => at > start && at < end && isOpen(at))) return true;
  }
  return false;
}
