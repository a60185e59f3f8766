-- Writes down what became of a secret whose share or ciphertext is gone though nobody was handed it.
-- The caller saw the record live, or won it, and only then found the share missing: since every
-- orderly end is written down before the share goes, what is still so now was lost.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] random bytes of the call that won it, as in open-secret, or ''
-- ARGV[2] retention, ms
-- ARGV[3] how near its end a secret counts as expired rather than lost, ms
--
-- {'ended', state, ended ms, blocks}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'attempt', 'events', 'destroyed',
  'again', 'received', 'size', 'block', 'created')
local state, expires, ended, destroyed = record[2], tonumber(record[3]), tonumber(record[4]), tonumber(record[7])
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end

-- After a failover the clock may be another one: no event is noted as earlier than the one before it, or
-- than the create where that was of an upload.
local now = math.max(clock, tonumber(string.match(record[6], '(%d+):[%a-]+$') or record[12]))

-- Where the same claim came a second time meanwhile, that other call may have handed it over.
local won = state == 'opened' and record[5] == ARGV[1] and not record[8] and not record[9]
if state ~= 'sealed' and state ~= 'locked' and state ~= 'uploading' and not won then return { 'ended', state, ended, 0 } end
local events = won and string.gsub(record[6], ',%d+:opened$', '') or record[6]

-- UNLINK first: a full Redis allows it, and then allows the rest.
redis.call('UNLINK', KEYS[2])
local blocks = record[11] and math.ceil(record[10] / record[11]) or 0
-- To free many blocks takes long, and nobody else is served meanwhile: what is not freed here has no
-- time left, and the caller removes it some at a time.
for n = 0, math.min(blocks, 64) - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
for n = 64, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, 1) end
redis.call('HDEL', KEYS[1], 'ended', 'claim', 'attempt', 'until', 'destroyed', 'held')
-- Nobody is told of an upload that came to nothing.
if state == 'uploading' then redis.call('HDEL', KEYS[1], 'sender') end

-- The share's own clock started a moment before the record's, so it may be gone a moment earlier.
-- The record stays live for expire-secret to report, with its time moved to now.
if state ~= 'uploading' and not destroyed and now >= expires - tonumber(ARGV[3]) then
  expires = math.min(now, expires)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  redis.call('HSET', KEYS[1], 'state', 'sealed', 'expires', expires, 'events', events)
  return { 'ended', 'expired', expires, blocks }
end

local final, at = 'lost', now
if destroyed then final, at = 'deleted', destroyed end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HSET', KEYS[1],
  'state', final,
  'ended', at,
  'events', events .. ',' .. at .. ':' .. final)
return { 'ended', final, at, blocks }
