-- Finds the secrets whose time has come, a bounded number of them.
--
-- KEYS[1] due index
-- ARGV[1] how many at most
-- ARGV[2] ms, or '': what is further ahead than anything is ever scheduled has a date of another clock,
--         and is looked at too
--
-- {id, ...}, the longest overdue first

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
local room = tonumber(ARGV[1]) - #due
if ARGV[2] == '' or room <= 0 then return due end
local astray = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now + tonumber(ARGV[2]), '+inf', 'LIMIT', 0, room)
for _, id in ipairs(astray) do due[#due + 1] = id end
return due
