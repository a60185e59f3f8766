-- Looks at a secret that is due, and writes down that it ran out unopened. One caller among all replicas
-- is told so.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] retention, ms
-- ARGV[2] how long after a claim's window a call of it may still say that it handed nothing over, ms
--
-- {'expired', share key's name, blocks}  this call wrote it down
-- {'live', ms until it is due}
-- {'claimed', ms}   sealed again after so long: all calls of its claim have said that they hand nothing over
-- {'opened', ms}    likewise, should they say so; after so long it is certain that it has ended
-- {'ended'}
-- {'unsealed'}      it was given up as an upload
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'events', 'share', 'size', 'block', 'ended',
  'until', 'window', 'attempt', 'again', 'received', 'destroyed')
local state, expires, events = record[2], tonumber(record[3]), record[4]
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end

if state == 'opened' and not record[13] and not record[14] then
  -- As in open-secret, should the clock have gone back.
  local windowEnd = tonumber(record[9])
  local length = tonumber(record[10]) or windowEnd - tonumber(record[8])
  local left = windowEnd - now
  local isAstray = left > 2 * length
  left = isAstray and 0 or math.min(left, length)
  if record[11] == '' and record[12] ~= '1' then
    if left > 0 then return { 'claimed', left } end
    -- As in open-secret, but after its time too: then it ran out unopened.
    state, events = 'sealed', (string.gsub(events, ',%d+:opened$', ''))
    redis.call('PEXPIRE', KEYS[1], math.max(1, expires - now + tonumber(ARGV[1])))
    redis.call('HDEL', KEYS[1], 'ended', 'claim', 'attempt', 'until', 'window', 'again')
    redis.call('HSET', KEYS[1], 'state', state, 'events', events)
  else
    local rest = left + tonumber(ARGV[2])
    if rest > 0 and not isAstray then return { 'opened', rest } end
  end
end

-- As an upload it was given up, though nobody has written that down yet.
if state == 'uploading' and now >= expires then return { 'unsealed' } end
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
  'events', events .. ',' .. expires .. ':expired')
return { 'expired', record[5], blocks }
