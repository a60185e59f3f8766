-- The sender gives all passphrase tries back.
--
-- KEYS[1] record
--
-- {'unlocked'}
-- {'ended', state, ended ms}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'tries', 'events')
local state, expires, events = record[2], tonumber(record[3]), record[6]
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
-- After a failover the clock may be another one: no event is noted as earlier than the one before it. An
-- upload has none.
local now = math.max(clock, tonumber(string.match(events, '(%d+):[%a-]+$') or clock))
if state ~= 'sealed' and state ~= 'locked' and state ~= 'uploading' then return { 'ended', state, tonumber(record[4]) } end
if now >= expires then return { 'ended', 'expired', expires } end

if tonumber(record[5]) > 0 then
  -- 64 events are kept: the first, and the latest.
  local _, commas = string.gsub(events, ',', ',')
  if commas >= 63 then events = string.gsub(events, '^([^,]*),[^,]*', '%1', 1) end
  -- PEXPIRE first: a full Redis allows it, and then allows the rest.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]))
  redis.call('HSET', KEYS[1], 'state', 'sealed', 'tries', 0, 'events', events .. ',' .. now .. ':unlocked')
end
return { 'unlocked' }
