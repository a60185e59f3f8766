import type { OfficeHours } from "./api.ts";

const MINUTE = 60_000;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * Whether the office is open for a minute at least from `start` to `end` (milliseconds since 1970), so
 * that somebody could open the secret at all. As the server has it, hours over midnight belong to the
 * day on which they begin.
 */
export function opensBetween({ zone, days, from, to }: OfficeHours, start: number, end: number): boolean {
  const clock = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });

  function isOpen(at: number): boolean {
    const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
    const time = `${parts.get("hour")}:${parts.get("minute")}`;
    const day = WEEKDAYS.indexOf(parts.get("weekday") ?? "") + 1;
    if (from < to) return days.includes(day) && from <= time && time < to;
    const dayBefore = day === 1 ? 7 : day - 1;
    return (days.includes(day) && from <= time) || (days.includes(dayBefore) && time < to);
  }

  // Zones are whole minutes apart, and each open span begins with one: no other moments need looking at.
  for (let at = start; at < end; at = Math.floor(at / MINUTE + 1) * MINUTE) {
    if (isOpen(at)) return true;
  }
  return false;
}
