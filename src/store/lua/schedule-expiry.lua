-- Notes when a secret falls due. Comes before create-secret, so that no secret is ever without it;
-- the due index lies in a slot of its own, so it can't be the same act.
--
-- KEYS[1] due index
-- ARGV[1] id
-- ARGV[2] ms until then, by any clock: here it counts from now
-- ARGV[3] 'NX' where it must be new, 'XX' where it must be there
--
-- {1 where it is new}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A second create of the same id must not move the first one's date.
return { redis.call('ZADD', KEYS[1], ARGV[3], now + tonumber(ARGV[2]), ARGV[1]) }
