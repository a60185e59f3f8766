-- Ends an upload that has all its bytes: from now on it is a secret like any other.
--
-- KEYS[1] record
-- KEYS[2] ciphertext, whose blocks are named after it
-- ARGV[1] random bytes of this very call, by which it can take the seal back
-- ARGV[2] retention, ms
--
-- {'sealed', created ms, expires ms, 1 where this call did it}
-- {'incomplete'}
-- {'damaged', share key's name}  a block is gone before its time
-- {'ended', state, ended ms}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'created', 'expires', 'ended', 'size', 'block', 'held',
  'ttl', 'share')
local version, state, created, expires = record[1], record[2], tonumber(record[3]), tonumber(record[4])
local size = tonumber(record[6])
if not version then return { 'missing' } end
if version ~= '1' and version ~= '2' and version ~= '3' then return { 'version' } end
if state ~= 'uploading' and state ~= 'sealed' and state ~= 'locked' then
  return { 'ended', state, tonumber(record[5]) }
end
if now >= expires then return { 'ended', 'expired', expires } end
if state ~= 'uploading' then
  -- From here on the first call must not take it back, and a WAIT has something of its own to wait
  -- for. Not worth failing for in a full Redis.
  redis.pcall('HDEL', KEYS[1], 'sealing')
  redis.pcall('HSET', KEYS[1], 'v', version)
  return { 'sealed', created, expires, 0 }
end
if size > 0 and record[8] ~= '0-' .. string.format('%.0f', size) then return { 'incomplete' } end

local blocks = math.ceil(size / tonumber(record[7]))
for n = 0, blocks - 1 do
  if redis.call('EXISTS', KEYS[2] .. ':' .. n) == 0 then return { 'damaged', record[10] } end
end

-- After a failover the clock may be another one, and show a time before the create.
created = math.min(created, now)
local ttl = tonumber(record[9])
-- PEXPIRE first: a full Redis allows it, and then allows the rest.
redis.call('PEXPIRE', KEYS[1], ttl + tonumber(ARGV[2]))
for n = 0, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, ttl) end
redis.call('HDEL', KEYS[1], 'held')
redis.call('HSET', KEYS[1],
  'state', 'sealed',
  'sealing', ARGV[1],
  'created', created,
  'expires', now + ttl,
  'events', now .. ':sealed')
return { 'sealed', created, now + ttl, 1 }
