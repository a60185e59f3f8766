-- Takes back a seal that could not be replicated: nobody was told of it.
--
-- KEYS[1] record
-- KEYS[2] ciphertext, whose blocks are named after it
-- ARGV[1] random bytes of the call, as in seal-upload
-- ARGV[2] how long the upload may stay without a byte arriving, ms
-- ARGV[3] retention, ms
--
-- {1 where it is uploading again, 0 where the call has not sealed it, or more has happened since}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'state', 'sealing', 'size', 'block', 'tries')
if record[1] ~= 'sealed' or record[2] ~= ARGV[1] or record[5] ~= '0' then return { 0 } end
local size, idle = tonumber(record[3]), tonumber(ARGV[2])

redis.call('PEXPIRE', KEYS[1], idle + tonumber(ARGV[3]))
for n = 0, math.ceil(size / tonumber(record[4])) - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, idle) end
redis.call('HDEL', KEYS[1], 'sealing', 'notes')
redis.call('HSET', KEYS[1],
  'state', 'uploading',
  'held', size > 0 and '0-' .. string.format('%.0f', size) or '',
  'expires', now + idle,
  'events', '')
return { 1 }
