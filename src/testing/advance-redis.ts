import type { Redis } from "ioredis";

/**
 * Moves everything that the store keeps in a Redis into the past, which is the same as waiting.
 * What runs out by that is deleted, as Redis would have done. For tests only: it walks all keys.
 */
const MOVE = `
local by = tonumber(ARGV[1])
local function earlier(number) return string.format('%.0f', number - by) end
for _, key in ipairs(redis.call('KEYS', '*ws:*')) do
  local left = redis.call('PTTL', key)
  local kind = redis.call('TYPE', key)['ok']
  if left > 0 and left <= by then
    redis.call('DEL', key)
  else
    if left > 0 then redis.call('PEXPIRE', key, left - by) end
    if kind == 'hash' then
      for _, field in ipairs({ 'created', 'expires', 'ended', 'until', 'destroyed' }) do
        local value = redis.call('HGET', key, field)
        if value then redis.call('HSET', key, field, earlier(value)) end
      end
      for _, field in ipairs({ 'events', 'notes' }) do
        local events = redis.call('HGET', key, field)
        if events then redis.call('HSET', key, field, (string.gsub(events, '%d+', earlier))) end
      end
    elseif kind == 'zset' then
      local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
      for at = 1, #members, 2 do redis.call('ZADD', key, earlier(members[at + 1]), members[at]) end
    elseif kind == 'stream' then
      for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
        for _, taken in ipairs(redis.call('XPENDING', key, group[2], '-', '+', 10000)) do
          redis.call('XCLAIM', key, group[2], taken[2], 0, taken[1], 'IDLE', taken[3] + by, 'JUSTID')
        end
      end
    end
  end
end`;

export async function advanceRedis(client: Redis, seconds: number): Promise<void> {
  await client.eval(MOVE, 0, seconds * 1000);
}
