-- The sender destroys it. An earlier end state stays, but what is left of the content goes.
--
-- KEYS[1] record
-- KEYS[2] ciphertext
-- ARGV[1] retention, ms
--
-- {'deleted', share key's name, ended ms, 1 where this call did it}
-- {'ended', share key's name, ended ms, state}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'until', 'events', 'share', 'destroyed')
local state, expires, ended, share = record[2], tonumber(record[3]), tonumber(record[4]), record[7]
if not record[1] then return { 'missing' } end
if record[1] ~= '1' then return { 'version' } end
-- After a failover the clock may be another one: no event is noted as earlier than the one before it.
local now = math.max(clock, tonumber(string.match(record[6], '(%d+):[%a-]+$')))

-- UNLINK first: a full Redis allows it, and then allows the rest.
redis.call('UNLINK', KEYS[2])

if state == 'sealed' or state == 'locked' then
  if now >= expires then return { 'ended', share, expires, 'expired' } end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'deleted', 'ended', now, 'events', record[6] .. ',' .. now .. ':deleted')
  return { 'deleted', share, now, 1 }
end
if state == 'deleted' then return { 'deleted', share, ended, 0 } end
-- The claimant may be on its way, or come again within the window. `destroyed` tells lose-secret
-- whose doing it is that the share isn't there.
if state == 'opened' and not record[8] then
  redis.call('HSET', KEYS[1], 'until', math.min(clock, tonumber(record[5])), 'destroyed', now)
end
return { 'ended', share, ended, state }
