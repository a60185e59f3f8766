import type { OfficeHours } from "./api.ts";

const MINUTE = 60_000;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/**
 * Whether the office is open for a minute at least from `start` to `end` (milliseconds since 1970), so
 * that somebody could open the secret at all. A zone the browser doesn't know is the server's to judge.
 */
export function opensBetween({ zone, days, from, to }: OfficeHours, start: number, end: number): boolean {
  const clock = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  // Zones are whole minutes apart, and each open span begins with one: no other moments need looking at.
  for (let at = start; at < end; at = Math.floor(at / MINUTE + 1) * MINUTE) {
    const parts = new Map(clock.formatToParts(at).map(({ type, value }) => [type, value]));
    const time = `${parts.get("hour")}:${parts.get("minute")}`;
    const day = WEEKDAYS.indexOf(parts.get("weekday") ?? "") + 1;
    if (days.includes(day) && from <= time && time < to) return true;
  }
  return false;
}
