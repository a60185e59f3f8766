import type { Rules } from "./rules.ts";

type Hours = NonNullable<Rules["hours"]>;

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** What clock and calendar in the zone show, summer time included. */
function localTime(zone: string, now: number): { day: number; minutes: number } {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const shown = Object.fromEntries(clock.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    day: WEEKDAYS.indexOf(shown.weekday ?? "") + 1,
    minutes: minutesOf(`${shown.hour}:${shown.minute}`),
  };
}

/**
 * Whether `now` (milliseconds since 1970) is within the hours. A span that goes over midnight, such as
 * 22:00 to 06:00, belongs to the day on which it begins. The clock on the wall decides: of an hour that
 * it shows twice both count, one that it skips is nobody's.
 */
export function isWithinHours({ zone, days, from, to }: Hours, now: number): boolean {
  const { day, minutes } = localTime(zone, now);
  const [start, end] = [minutesOf(from), minutesOf(to)];
  if (start < end) return days.includes(day) && start <= minutes && minutes < end;
  const dayBefore = day === 1 ? 7 : day - 1;
  return (days.includes(day) && start <= minutes) || (days.includes(dayBefore) && minutes < end);
}
