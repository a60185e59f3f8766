-- Reads a record together with the time it is read at. Writes nothing.
--
-- KEYS[1] record
-- KEYS[2] ciphertext
--
-- nil where there is no record
-- {now ms, 1 where the ciphertext is there, field, value, ...}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local reply = redis.call('HGETALL', KEYS[1])
if #reply == 0 then return false end
table.insert(reply, 1, redis.call('EXISTS', KEYS[2]))
table.insert(reply, 1, now)
return reply
