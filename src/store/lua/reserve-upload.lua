-- Counts an upload against what all unfinished uploads together may have declared, and notes when to
-- look whether it was given up. Comes before begin-upload, so that no upload is ever without it; the
-- index lies in a slot of its own, so it can't be the same act.
--
-- KEYS[1] upload index
-- KEYS[2] upload sizes
-- ARGV[1] which upload
-- ARGV[2] its length
-- ARGV[3] how long it may stay without a byte arriving, ms
-- ARGV[4] how much all of them may have declared
--
-- {1, or 0 where there is no room for it}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('HMGET', KEYS[2], 'total', ARGV[1])
if known[2] then return { 1 } end
local total = tonumber(known[1] or 0) + tonumber(ARGV[2])
if total > tonumber(ARGV[4]) then return { 0 } end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2], 'total', string.format('%.0f', total))
return { 1 }
