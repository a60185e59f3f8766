import type { Redis } from "ioredis";
import { type Check, type Finding, ok, problem, warning } from "./finding.ts";
import type { HttpSubject } from "./http-subject.ts";
import type { RedisSubject } from "./redis-subject.ts";

/** Seconds. Below the first nobody notices; above the second people are told wrong times. */
const NOTICEABLE = 5;
const WRONG = 60;

/** `seconds`: how far the other clock is ahead of this machine's. */
function judge(who: string, seconds: number): Finding {
  const off = Math.abs(seconds);
  const words = `${off.toFixed(0)} seconds ${seconds > 0 ? "ahead of" : "behind"} this machine's`;
  if (off < NOTICEABLE) return ok(`${who} and this machine's agree`);
  const text = `${who} is ${words}, so people are told wrong times. Set both by NTP.`;
  return off < WRONG ? warning(text) : problem(text);
}

async function measure(read: () => Promise<number>): Promise<number> {
  const before = Date.now();
  const there = await read();
  return (there - (before + Date.now()) / 2) / 1000;
}

export const checkHttpClock: Check<HttpSubject> = {
  name: "clock",
  async run({ http }) {
    // Whole seconds, rounded down (RFC 9110, section 6.6.1): half of one in the middle.
    const seconds = await measure(async () => {
      const { headers } = await http.ask("/healthz");
      return Date.parse(headers.date ?? "") + 500;
    });
    if (Number.isNaN(seconds)) return [warning("answers carry no Date. Let the proxy pass it on.")];
    return [judge("the server's clock", seconds)];
  },
};

async function redisTime(client: Redis): Promise<number> {
  const [seconds, microseconds] = await client.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/** Every time to live is counted by Redis' clock. */
export const checkRedisClock: Check<RedisSubject> = {
  name: "clock",
  async run({ client }) {
    return [judge("its clock", await measure(() => redisTime(client)))];
  },
};
