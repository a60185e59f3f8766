-- The sender destroys it. An earlier end state stays, but what is left of the content goes.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] retention, ms
--
-- {'deleted', share key's name, ended ms, blocks, 1 where this call did it, 1 where it had been sealed}
-- {'ended', share key's name, ended ms, blocks, state}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'until', 'events', 'share', 'destroyed',
  'size', 'block', 'created')
local state, expires, ended, share = record[2], tonumber(record[3]), tonumber(record[4]), record[7]
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
-- After a failover the clock may be another one: no event is noted as earlier than the one before it, or
-- than the create where that was of an upload.
local now = math.max(clock, tonumber(string.match(record[6], '(%d+):[%a-]+$') or record[11]))
local sealed = string.find(record[6], ':sealed', 1, true) and 1 or 0

-- UNLINK first: a full Redis allows it, and then allows the rest.
redis.call('UNLINK', KEYS[2])
local blocks = record[10] and math.ceil(record[9] / record[10]) or 0
-- To free many blocks takes long, and nobody else is served meanwhile: what is not freed here has no
-- time left, and the caller removes it some at a time.
for n = 0, math.min(blocks, 64) - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
for n = 64, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, 1) end

if state == 'sealed' or state == 'locked' or state == 'uploading' then
  if now >= expires then return { 'ended', share, expires, blocks, 'expired' } end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  -- Nobody is told of an upload that came to nothing.
  if state == 'uploading' then redis.call('HDEL', KEYS[1], 'sender') end
  redis.call('HSET', KEYS[1], 'state', 'deleted', 'ended', now, 'events', record[6] .. ',' .. now .. ':deleted')
  return { 'deleted', share, now, blocks, 1, sealed }
end
if state == 'deleted' then return { 'deleted', share, ended, blocks, 0, sealed } end
-- The claimant may be on its way, or come again within the window. `destroyed` tells lose-secret
-- whose doing it is that the share isn't there.
if state == 'opened' and not record[8] then
  redis.call('HSET', KEYS[1], 'until', math.min(clock, tonumber(record[5])), 'destroyed', now)
end
return { 'ended', share, ended, blocks, state }
