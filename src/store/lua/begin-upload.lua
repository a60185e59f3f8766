-- Sets a record whose ciphertext follows in blocks, where there is no record yet.
--
-- KEYS[1] record
-- ARGV[1] link digest
-- ARGV[2] access digest
-- ARGV[3] receipt digest
-- ARGV[4] body digest: what makes a second create the same one
-- ARGV[5] name of the share's key
-- ARGV[6] the ciphertext's length
-- ARGV[7] the length of a block
-- ARGV[8] time to live once it is sealed, ms
-- ARGV[9] how long it may stay without a byte arriving, ms
-- ARGV[10] how long the upload may take at most, ms
-- ARGV[11] retention, ms
-- ARGV[12] '1' with a passphrase, '0' without
-- ARGV[13] rules, or '' without
-- ARGV[14] sender, or '' without
--
-- {'created', created ms, expires ms}
-- {'existed', created ms, expires ms, share key's name, 1 where it is uploading}  the same body was here before
-- {'conflict'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('HMGET', KEYS[1], 'v', 'body', 'created', 'expires', 'share', 'state')
if known[1] then
  if known[1] ~= '1' and known[1] ~= '2' and known[1] ~= '3' then return { 'version' } end
  if known[2] ~= ARGV[4] then return { 'conflict' } end
  -- As in create-secret: this create may be the one that is acknowledged.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]))
  redis.call('HSET', KEYS[1], 'asked', '1')
  local expires = tonumber(known[4])
  return { 'existed', tonumber(known[3]), expires, known[5], known[6] == 'uploading' and now < expires and 1 or 0 }
end

local expires = now + math.min(tonumber(ARGV[9]), tonumber(ARGV[10]))
-- Version 2, so that a replica which knows nothing of blocks leaves it alone.
redis.call('HSET', KEYS[1],
  'v', '2',
  'link', ARGV[1],
  'access', ARGV[2],
  'receipt', ARGV[3],
  'body', ARGV[4],
  'share', ARGV[5],
  'size', ARGV[6],
  'block', ARGV[7],
  'ttl', ARGV[8],
  'passphrase', ARGV[12],
  'state', 'uploading',
  'held', '',
  'created', now,
  'expires', expires,
  'tries', 0,
  'events', '')
-- Version 3, so that a replica which knows nothing of rules does not let in whom they refuse.
if ARGV[13] ~= '' then redis.call('HSET', KEYS[1], 'v', '3', 'rules', ARGV[13]) end
if ARGV[14] ~= '' then redis.call('HSET', KEYS[1], 'sender', ARGV[14]) end
redis.call('PEXPIRE', KEYS[1], expires - now + tonumber(ARGV[11]))
return { 'created', now, expires }
