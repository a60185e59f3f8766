-- Sets record and ciphertext where there is no record yet.
--
-- KEYS[1] record
-- KEYS[2] ciphertext
-- ARGV[1] link digest
-- ARGV[2] access digest
-- ARGV[3] receipt digest
-- ARGV[4] body digest: what makes a second create the same one
-- ARGV[5] name of the share's key
-- ARGV[6] ciphertext
-- ARGV[7] time to live, ms
-- ARGV[8] retention, ms
-- ARGV[9] '1' with a passphrase, '0' without
-- ARGV[10] rules, or '' without
-- ARGV[11] sender, or '' without
--
-- {'created', created ms, expires ms}
-- {'existed', created ms, expires ms, share key's name, 1 where it is sealed}  the same body was here before
-- {'conflict'}
-- {'version'}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local known = redis.call('HMGET', KEYS[1], 'v', 'body', 'created', 'expires', 'share', 'state')
if known[1] then
  if known[1] ~= '1' and known[1] ~= '2' and known[1] ~= '3' then return { 'version' } end
  if known[2] ~= ARGV[4] then return { 'conflict' } end
  -- A WAIT that follows has something of its own to wait for; a full Redis allows it. Should it succeed,
  -- this create is acknowledged, whatever the first one waited for: see discard-secret.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]))
  redis.call('HSET', KEYS[1], 'asked', '1')
  local expires = tonumber(known[4])
  return { 'existed', tonumber(known[3]), expires, known[5], known[6] == 'sealed' and now < expires and 1 or 0 }
end

local ttl = tonumber(ARGV[7])
-- First a write that a full Redis refuses, so that the refusal comes before anything is kept.
redis.call('SET', KEYS[2], ARGV[6], 'PX', ttl)
redis.call('HSET', KEYS[1],
  'v', '1',
  'link', ARGV[1],
  'access', ARGV[2],
  'receipt', ARGV[3],
  'body', ARGV[4],
  'share', ARGV[5],
  'size', #ARGV[6],
  'passphrase', ARGV[9],
  'state', 'sealed',
  'created', now,
  'expires', now + ttl,
  'tries', 0,
  'events', now .. ':sealed')
-- Version 3, so that a replica which knows nothing of rules does not let in whom they refuse.
if ARGV[10] ~= '' then redis.call('HSET', KEYS[1], 'v', '3', 'rules', ARGV[10]) end
if ARGV[11] ~= '' then redis.call('HSET', KEYS[1], 'sender', ARGV[11]) end
redis.call('PEXPIRE', KEYS[1], ttl + tonumber(ARGV[8]))
return { 'created', now, now + ttl }
