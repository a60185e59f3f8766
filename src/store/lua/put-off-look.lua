-- Says when to look at a secret next, after a look; unless somebody has moved that date since it was
-- taken, for then something happened that the look may not have seen.
--
-- KEYS[1] due index
-- ARGV[1] id
-- ARGV[2] the date to which take-due has put it off, ms
-- ARGV[3] ms until the next look
--
-- {1, or 0 where it was moved or is gone}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A write that a full Redis allows, before the others.
redis.call('ZREM', KEYS[1], '')
local date = redis.call('ZADD', KEYS[1], 'XX', 'INCR', 0, ARGV[1])
if not date or tonumber(date) ~= tonumber(ARGV[2]) then return { 0 } end
redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[3]), ARGV[1])
return { 1 }
