-- Writes down that a secret ran out unopened. One caller among all replicas is told so.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
--
-- {'expired', share key's name, blocks}  this call wrote it down
-- {'live', ms until it is due}
-- {'ended'}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'events', 'share', 'size', 'block')
local state, expires = record[2], tonumber(record[3])
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
-- As an upload it was given up, though nobody has written that down yet.
if state == 'uploading' and now >= expires then return { 'ended' } end
-- A seal that was taken back may come again: the upload is live too.
if state ~= 'sealed' and state ~= 'locked' and state ~= 'uploading' then return { 'ended' } end
if now < expires then return { 'live', expires - now } end

-- UNLINK first: a full Redis allows it, and then allows the rest.
redis.call('UNLINK', KEYS[2])
local blocks = record[7] and math.ceil(record[6] / record[7]) or 0
-- To free many blocks takes long, and nobody else is served meanwhile: what is not freed here has no
-- time left, and the caller removes it some at a time.
for n = 0, math.min(blocks, 64) - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
for n = 64, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, 1) end
redis.call('HSET', KEYS[1],
  'state', 'expired',
  'ended', expires,
  'events', record[4] .. ',' .. expires .. ':expired')
return { 'expired', record[5], blocks }
