-- Notes that something happened which changes nothing. Notes have a field of their own: they never push
-- out another event, and a program that knows nothing of them reads the record as before.
--
-- KEYS[1] record
-- ARGV[1] kind of note
-- ARGV[2] how young a note of this kind may be for nothing to be written, ms
--
-- {'noted'}
-- {'quiet'}
-- {'ended', state, ended ms}
-- {'missing'}               or it is uploading
-- {'unwritable', error}     Redis takes no writes. As an error it would end the connection, and with it
--                           the reads that are on their way beside a note
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'notes')
local state, expires, notes = record[2], tonumber(record[3]), record[5] or ''
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
if state == 'uploading' then return clock < expires and { 'missing' } or { 'ended', 'expired', expires } end
if state ~= 'sealed' and state ~= 'locked' then return { 'ended', state, tonumber(record[4]) } end
if clock >= expires then return { 'ended', 'expired', expires } end

local latest, count = nil, 0
for at, kind in string.gmatch(notes, '(%d+):([%a-]+)') do
  count = count + 1
  if kind == ARGV[1] then latest = tonumber(at) end
end
-- After a failover the clock may be another one: a note that it dates far ahead is not a young one. The
-- reader puts them in order.
if latest and math.abs(clock - latest) < tonumber(ARGV[2]) then return { 'quiet' } end

-- 32 notes are kept, the latest.
if count >= 32 then notes = string.gsub(notes, '^[^,]*,', '', 1) end
if notes ~= '' then notes = notes .. ',' end
-- PEXPIRE first: a full Redis allows it, and then allows the rest.
local kept = redis.pcall('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]))
if type(kept) == 'table' and kept.err then return { 'unwritable', kept.err } end
redis.call('HSET', KEYS[1], 'notes', notes .. clock .. ':' .. ARGV[1])
return { 'noted' }
