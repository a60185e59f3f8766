-- Reads a record together with the time it is read at. Writes nothing.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
--
-- nil where there is no record
-- {now ms, 1 where the ciphertext is there or still to come, field, value, ...}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local reply = redis.call('HGETALL', KEYS[1])
if #reply == 0 then return false end

local fields = redis.call('HMGET', KEYS[1], 'state', 'size', 'block')
local there = 1
if not fields[3] then
  there = redis.call('EXISTS', KEYS[2])
elseif fields[1] == 'sealed' or fields[1] == 'locked' then
  for n = 0, math.ceil(fields[2] / fields[3]) - 1 do
    if redis.call('EXISTS', KEYS[2] .. ':' .. n) == 0 then there = 0 end
  end
end
table.insert(reply, 1, there)
table.insert(reply, 1, now)
return reply
