-- Keeps how far a chain of audit lines has come, of so many chains at most: those that were heard of last.
--
-- KEYS[1] last anchor of each chain
-- KEYS[2] chains by when their last anchor came
-- ARGV[1] chain
-- ARGV[2] number of the line
-- ARGV[3] hash of the line
-- ARGV[4] most chains
--
-- {1 where it was kept, 0 where a later one is}

local old = redis.call('HMGET', KEYS[1], ARGV[1])[1]
-- One that was overtaken on its way must not undo what came after it.
if old and tonumber(string.match(old, '^%d+')) >= tonumber(ARGV[2]) then return { 0 } end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. string.format('%.0f', now))
redis.call('ZADD', KEYS[2], now, ARGV[1])

local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if excess > 0 then
  for _, chain in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf', 'LIMIT', 0, excess)) do
    redis.call('ZREM', KEYS[2], chain)
    redis.call('HDEL', KEYS[1], chain)
  end
end
return { 1 }
