-- Gives up an upload whose time is over. One caller among all replicas is told so.
--
-- KEYS[1] record
-- KEYS[2] ciphertext, whose blocks are named after it
-- ARGV[1] name of the share's key, which tells whose record it is
-- ARGV[2] how long it may stay without a byte arriving, ms
-- ARGV[3] retention, ms
--
-- {'abandoned', blocks} this call wrote it down
-- {'live', ms until it is due}
-- {'over'}              it was sealed, or ended before
-- {'foreign'}           the record is that of another create
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'share', 'state', 'expires', 'size', 'block', 'created')
local expires = tonumber(record[4])
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
if record[2] ~= ARGV[1] then return { 'foreign' } end
if record[3] ~= 'uploading' then return { 'over' } end

-- After a failover the clock may be another one. Where it went back, nothing that was noted by the other
-- is later than it could have been by this one.
local latest = clock + tonumber(ARGV[2])
if expires > latest then
  expires = latest
  redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[2]) + tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'expires', expires, 'created', math.min(tonumber(record[7]), clock))
end
if clock < expires then return { 'live', expires - clock } end

-- UNLINK and HDEL first: a full Redis allows them, and then allows the rest.
local blocks = math.ceil(tonumber(record[5]) / tonumber(record[6]))
-- To free many blocks takes long, and nobody else is served meanwhile: what is not freed here has no
-- time left, and the caller removes it some at a time.
for n = 0, math.min(blocks, 64) - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
for n = 64, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, 1) end
redis.call('HDEL', KEYS[1], 'held', 'sender')
redis.call('HSET', KEYS[1], 'state', 'expired', 'ended', expires, 'events', expires .. ':expired')
return { 'abandoned', blocks }
