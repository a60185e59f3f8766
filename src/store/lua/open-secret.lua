-- Decides who gets the share. The share itself never comes near Lua, which would copy it.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] link digest
-- ARGV[2] access digest
-- ARGV[3] claim digest, or '' without a claim
-- ARGV[4] 16 random bytes of this very call, by which it can say that it hands nothing over
-- ARGV[5] redelivery window, ms; 0 where nothing may be fetched again
-- ARGV[6] how long the ciphertext may stay where the window is 0, ms
-- ARGV[7] wrong passphrases until it is locked
-- ARGV[8] retention, ms
-- ARGV[9] '1' where only the claim that has it may get it
--
-- {'won', share key's name, window ms, blocks}    this call opened it
-- {'again', share key's name, what is left of the window ms, blocks}
-- {'wrong', share key's name, tries left}
-- {'locked', share key's name}
-- {'sealed'}                              nobody has it, and only who has it may get it
-- {'ended', state, ended ms}
-- {'damaged', share key's name}           the ciphertext is gone before its time
-- {'missing'}                             or the link digest is another one, or it is uploading
-- {'version'}

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)

local record = redis.call('HMGET', KEYS[1], 'v', 'link', 'access', 'state', 'expires', 'ended', 'claim',
  'until', 'tries', 'events', 'share', 'attempt', 'again', 'received', 'destroyed',
  'window', 'size', 'block')
local version, link, access, state = record[1], record[2], record[3], record[4]
local expires, ended, claim, windowEnd = tonumber(record[5]), tonumber(record[6]), record[7], tonumber(record[8])
local tries, events, share = tonumber(record[9]), record[10], record[11]
local attempts, again, received, destroyed = record[12], record[13], record[14], record[15]
local blocks = record[18] and math.ceil(record[17] / record[18])

if not version then return { 'missing' } end
if version ~= '1' and version ~= '2' and version ~= '3' then return { 'version' } end
-- Lua interns its strings: comparing two of them compares two pointers and takes the same time
-- wherever they differ.
if link ~= ARGV[1] then return { 'missing' } end
if state == 'uploading' then return clock < expires and { 'missing' } or { 'ended', 'expired', expires } end

-- After a failover the clock may be another one. No event is noted as earlier than the one before it;
-- and a clock that went back makes no window longer than it was, or ends it where it went back by more
-- than the window: nobody can tell then how much of it is left. A program before this one did not note
-- the window's length.
local now = math.max(clock, tonumber(string.match(events, '(%d+):[%a-]+$')))
local length = tonumber(record[16]) or windowEnd and windowEnd - ended or 0
local left = windowEnd and windowEnd - clock or 0
local isAstray = left > 2 * length
left = isAstray and 0 or math.min(left, length)

-- A write that a full Redis allows, before the others: from here on the script's writes are allowed
-- as well. A store that is full must still be able to open and to forget.
local function touch(milliseconds) redis.call('PEXPIRE', KEYS[1], milliseconds) end

local function whole()
  if not blocks then return redis.call('EXISTS', KEYS[2]) == 1 end
  for n = 0, blocks - 1 do
    if redis.call('EXISTS', KEYS[2] .. ':' .. n) == 0 then return false end
  end
  return true
end

-- 64 events are kept: the first, and the latest.
local function note(kind)
  local _, commas = string.gsub(events, ',', ',')
  if commas >= 63 then events = string.gsub(events, '^([^,]*),[^,]*', '%1', 1) end
  events = events .. ',' .. now .. ':' .. kind
end

-- All calls of a claim have said that they hand nothing over, and its time is up: see withdraw-claim.
if state == 'opened' and attempts == '' and again ~= '1' and not received and not destroyed
  and left <= 0 and now < expires then
  state, events = 'sealed', (string.gsub(events, ',%d+:opened$', ''))
  touch(expires - now + ARGV[8])
  redis.call('HDEL', KEYS[1], 'ended', 'claim', 'attempt', 'until', 'window', 'again')
  redis.call('HSET', KEYS[1], 'state', state, 'events', events)
end

if state ~= 'sealed' and state ~= 'locked' then
  local isClaimant = state == 'opened' and claim == ARGV[3] and access == ARGV[2]
  if isClaimant and isAstray then
    touch(redis.call('PTTL', KEYS[1]))
    -- For good, also when this clock comes to where the other one was.
    redis.call('HSET', KEYS[1], 'until', 0)
  elseif isClaimant and left > 0 and not received and not destroyed then
    touch(redis.call('PTTL', KEYS[1]))
    -- Written again, so that it replicates again. Each call is noted, since any of them may hand the
    -- share over; where there are too many, with bytes that none of them can take back. A program
    -- before this one noted nothing but '1'.
    attempts = attempts or string.rep('\0', 16)
    if #attempts < 1024 then attempts = attempts .. ARGV[4]
    elseif #attempts == 1024 then attempts = attempts .. string.rep('\0', 16) end
    redis.call('HSET', KEYS[1], 'claim', claim, 'again', again == '1' and '1' or 'noted', 'attempt', attempts,
      'until', clock + left)
    return { 'again', share, left, blocks or 0 }
  end
  return { 'ended', state, ended }
end

if now >= expires then return { 'ended', 'expired', expires } end
if ARGV[9] == '1' then return { 'sealed' } end
if not whole() then return { 'damaged', share } end
if state == 'locked' then return { 'locked', share } end

if access ~= ARGV[2] then
  tries = tries + 1
  local triesLeft = math.max(0, tonumber(ARGV[7]) - tries)
  note('wrong-passphrase')
  if triesLeft == 0 then note('locked') end
  touch(redis.call('PTTL', KEYS[1]))
  redis.call('HSET', KEYS[1], 'tries', tries, 'events', events, 'state', triesLeft == 0 and 'locked' or 'sealed')
  return { 'wrong', share, triesLeft }
end

local window = math.min(tonumber(ARGV[5]), expires - now)
note('opened')
touch(ARGV[8])
-- With a window the ciphertext keeps its time until the share was lent: nobody may ever learn of this
-- answer, and then, however late that is found out, the secret is sealed again.
if window <= 0 then
  local rest = math.min(tonumber(ARGV[6]), expires - now)
  redis.call('PEXPIRE', KEYS[2], rest)
  for n = 0, (blocks or 0) - 1 do redis.call('PEXPIRE', KEYS[2] .. ':' .. n, rest) end
end
redis.call('HSET', KEYS[1],
  'state', 'opened',
  'ended', now,
  'claim', ARGV[3],
  'attempt', ARGV[4],
  'until', clock + window,
  'window', window,
  'events', events)
return { 'won', share, window, blocks or 0 }
