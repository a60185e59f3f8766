-- Counts an upload no longer: it was sealed, has ended, or never came to be.
--
-- KEYS[1] upload index
-- KEYS[2] upload sizes
-- ARGV[1] which upload
--
-- {1, or 0 where it was not counted}

-- ZREM first: a full Redis allows it, and then allows the rest.
redis.call('ZREM', KEYS[1], ARGV[1])
local known = redis.call('HMGET', KEYS[2], 'total', ARGV[1])
if not known[2] then return { 0 } end
local total = tonumber(known[1]) - tonumber(known[2])
redis.call('HDEL', KEYS[2], ARGV[1])
if total > 0 then
  redis.call('HSET', KEYS[2], 'total', string.format('%.0f', total))
else
  redis.call('HDEL', KEYS[2], 'total')
end
return { 1 }
