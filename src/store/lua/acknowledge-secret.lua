-- The claimant has what it needs: the ciphertext goes, and with it the rest of the window.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] claim digest
--
-- {'acknowledged', share key's name, blocks}
-- {'refused'}  it was not handed over to this claim
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'claim', 'events', 'share', 'received',
  'size', 'block', 'expires')
if not record[1] then return { 'missing' } end
if record[1] ~= '1' and record[1] ~= '2' and record[1] ~= '3' then return { 'version' } end
if record[2] == 'uploading' and clock < tonumber(record[9]) then return { 'missing' } end
if record[2] ~= 'opened' or record[3] ~= ARGV[1] then return { 'refused' } end

-- UNLINK first: a full Redis allows it, and then allows the rest.
redis.call('UNLINK', KEYS[2])
local blocks = record[8] and math.ceil(record[7] / record[8]) or 0
-- To free many blocks takes long, and nobody else is served meanwhile: what is not freed here has no
-- time left, and the caller removes it some at a time.
for n = 0, math.min(blocks, 64) - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
for n = 64, blocks - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, 1) end
if not record[6] then
  -- After a failover the clock may be another one: no event is noted as earlier than the one before it.
  local now = math.max(clock, tonumber(string.match(record[4], '(%d+):[%a-]+$')))
  redis.call('HSET', KEYS[1], 'received', '1', 'until', clock, 'events', record[4] .. ',' .. now .. ':received')
end
return { 'acknowledged', record[5], blocks }
