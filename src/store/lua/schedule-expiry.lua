-- Notes when a secret falls due. Comes before create-secret, so that no secret is ever without it;
-- the due index lies in a slot of its own, so it can't be the same act.
--
-- KEYS[1] due index
-- ARGV[1] id
-- ARGV[2] ms until then, by any clock: here it counts from now
-- ARGV[3] 'NX' where it must be new, 'XX' where it must be there, 'SOONER' where it must be there and
--         only ever gets earlier
--
-- {1 where it is new}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local date = now + tonumber(ARGV[2])

-- A second create of the same id must not move the first one's date.
if ARGV[3] ~= 'SOONER' then return { redis.call('ZADD', KEYS[1], ARGV[3], date, ARGV[1]) } end

-- A write that a full Redis allows, before the others.
redis.call('ZREM', KEYS[1], '')
-- By a millisecond at least: whoever is looking at this moment sees by it that there is more to see.
if redis.call('ZADD', KEYS[1], 'XX', 'LT', 'CH', date, ARGV[1]) == 0 then
  redis.call('ZADD', KEYS[1], 'XX', 'INCR', -1, ARGV[1])
end
return { 0 }
