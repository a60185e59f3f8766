-- Takes the secrets that are due for a look, a bounded number of them: nobody else gets them for a
-- while, and whoever does not come back leaves them to the next who asks after that.
--
-- KEYS[1] due index
-- ARGV[1] how many at most
-- ARGV[2] for how long, ms
--
-- {the date to which they are put off, id, ...}, the longest overdue first

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local taken = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local date = now + tonumber(ARGV[2])
-- A write that a full Redis allows, before the others.
if #taken > 0 then redis.call('ZREM', KEYS[1], '') end
for _, id in ipairs(taken) do redis.call('ZADD', KEYS[1], 'XX', date, id) end
table.insert(taken, 1, date)
return taken
