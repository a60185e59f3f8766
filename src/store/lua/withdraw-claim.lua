-- Seals a secret again that a call has won whose share it did not and will not hand over: only that
-- very call may say so.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] random bytes of the call, as in open-secret
-- ARGV[2] retention, ms
--
-- {1 where it is sealed again, 0 where the call has not won, or the sender destroyed it}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'attempt', 'expires', 'events', 'destroyed', 'size', 'block')
local known = record[1] == '1' or record[1] == '2'
if not known or record[2] ~= 'opened' or record[3] ~= ARGV[1] or record[6] then return { 0 } end
local left = math.max(1, tonumber(record[4]) - now)

redis.call('PEXPIRE', KEYS[1], left + tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[2], left)
local blocks = record[8] and math.ceil(record[7] / record[8]) or 0
for n = 0, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, left) end
redis.call('HDEL', KEYS[1], 'ended', 'claim', 'attempt', 'until')
redis.call('HSET', KEYS[1], 'state', 'sealed', 'events', (string.gsub(record[5], ',%d+:opened$', '')))
return { 1 }
