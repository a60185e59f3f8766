-- Says for one call that it did not and will not hand the share over. When the last call of a claim has
-- said so, nobody was handed it and nobody will be: the claim stands until the end of its window, for
-- its holder to come again, and then the secret is sealed as before.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] random bytes of the call, as in open-secret
-- ARGV[2] retention, ms
--
-- {1, 0, left ms}   it is sealed again, for so long
-- {2, ms, left ms}  it will be when this is asked again, so much later
-- {0}      the claim is not this call's, or another call of it may have handed the share over, or the
--          sender destroyed it

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'attempt', 'expires', 'events', 'destroyed', 'until',
  'again', 'received', 'window', 'ended', 'size', 'block')
local known = record[1] == '1' or record[1] == '2' or record[1] == '3'
local attempts, windowEnd = record[3], tonumber(record[7])
if not known or record[2] ~= 'opened' or not attempts or record[6] or record[9] then return { 0 } end

local others = ''
for at = 1, #attempts, 16 do
  local attempt = string.sub(attempts, at, at + 15)
  if attempt ~= ARGV[1] then others = others .. attempt end
end

-- A write that a full Redis allows, before the others.
redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]))
if others ~= attempts then redis.call('HSET', KEYS[1], 'attempt', others) end
if others ~= '' or record[8] == '1' then return { 0 } end

local now = math.max(clock, tonumber(string.match(record[5], '(%d+):[%a-]+$')))
local left = math.max(1, tonumber(record[4]) - now)
-- As in open-secret, should the clock have gone back.
local length = tonumber(record[10]) or windowEnd - tonumber(record[11])
local windowLeft = windowEnd - clock
windowLeft = windowLeft > 2 * length and 0 or math.min(windowLeft, length)
redis.call('PEXPIRE', KEYS[2], left)
local blocks = record[13] and math.ceil(record[12] / record[13]) or 0
for n = 0, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, left) end
if windowLeft > 0 then return { 2, windowLeft, left } end
redis.call('PEXPIRE', KEYS[1], left + tonumber(ARGV[2]))
redis.call('HDEL', KEYS[1], 'ended', 'claim', 'attempt', 'until', 'window', 'again')
redis.call('HSET', KEYS[1], 'state', 'sealed', 'events', (string.gsub(record[5], ',%d+:opened$', '')))
return { 1, 0, left }
