-- Keeps those bytes of a piece that are not held yet, and notes which are held now.
--
-- KEYS[1] record
-- KEYS[2] ciphertext, whose blocks are named after it
-- ARGV[1] where in the ciphertext the piece begins
-- ARGV[2] the piece
-- ARGV[3] how long the upload may stay without a byte arriving, ms
-- ARGV[4] how long it may take at most, ms
-- ARGV[5] into how many spans the bytes held may fall
-- ARGV[6] retention, ms
--
-- {'written', bytes held, 1 where that is all of them, expires ms}
-- {'sealed', expires ms}  the upload has ended well before
-- {'scattered'}           too many spans; nothing was kept
-- {'outside', size}       the piece is not inside of the ciphertext; nothing was kept
-- {'ended', state, ended ms}
-- {'missing'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'state', 'expires', 'ended', 'created', 'size', 'block', 'held')
local version, state, expires = record[1], record[2], tonumber(record[3])
local size, block = tonumber(record[6]), tonumber(record[7])
if not version then return { 'missing' } end
if version ~= '1' and version ~= '2' and version ~= '3' then return { 'version' } end

local from = tonumber(ARGV[1])
local to = from + #ARGV[2]
if to > size then return { 'outside', size } end
if state ~= 'uploading' and state ~= 'sealed' and state ~= 'locked' then
  return { 'ended', state, tonumber(record[4]) }
end
if now >= expires then return { 'ended', 'expired', expires } end
if state ~= 'uploading' then return { 'sealed', expires } end

-- The spans as they will be, and the gaps that this piece fills. held-spans.ts does the same.
local spans, gaps, received = {}, {}, 0
local first, last, at, placed = from, to, from, from == to
local function keep(a, b)
  spans[#spans + 1] = string.format('%.0f-%.0f', a, b)
  received = received + b - a
end
local function place()
  if not placed then keep(first, last) end
  placed = true
end
for a, b in string.gmatch(record[8], '(%d+)%-(%d+)') do
  a, b = tonumber(a), tonumber(b)
  if placed or b < from then
    keep(a, b)
  elseif a > to then
    place()
    keep(a, b)
  else
    if a > at then gaps[#gaps + 1] = { at, a } end
    at, first, last = math.max(at, b), math.min(first, a), math.max(last, b)
  end
end
place()
if at < to then gaps[#gaps + 1] = { at, to } end
if #spans > tonumber(ARGV[5]) then return { 'scattered' } end

-- After a failover the clock may be another one. Where it shows a time before the create, the upload
-- counts as begun now: else it could take as much longer as the clock went back.
local created = math.min(tonumber(record[5]), now)
local latest = created + tonumber(ARGV[4])
for _, gap in ipairs(gaps) do
  for n = math.floor(gap[1] / block), math.floor((gap[2] - 1) / block) do
    local start = n * block
    local length = math.min(block, size - start)
    local a, b = math.max(gap[1], start), math.min(gap[2], start + length)
    local bytes = string.sub(ARGV[2], a - from + 1, b - from)
    if #bytes == length then
      redis.call('SET', KEYS[2] .. ':' .. n, bytes, 'PX', latest - now)
    else
      -- At its full length from the beginning: a string that grows is given twice what it needs.
      if redis.call('EXISTS', KEYS[2] .. ':' .. n) == 0 then
        redis.call('SETRANGE', KEYS[2] .. ':' .. n, length - 1, '\0')
        redis.call('PEXPIRE', KEYS[2] .. ':' .. n, latest - now)
      end
      redis.call('SETRANGE', KEYS[2] .. ':' .. n, a - start, bytes)
    end
  end
end
if from < to then
  expires = math.min(now + tonumber(ARGV[3]), latest)
  redis.call('HSET', KEYS[1], 'held', table.concat(spans, ','), 'expires', expires, 'created', created)
  redis.call('PEXPIRE', KEYS[1], expires - now + tonumber(ARGV[6]))
end
return { 'written', received, received == size and 1 or 0, expires }
