-- Takes back a create that could not be replicated: nobody was told of it.
--
-- KEYS[1] record
-- KEYS[2] ciphertext
-- ARGV[1] name of the share's key, which tells whose record it is
--
-- {1 where it was there, 0 where it was not, or was somebody else's}

local known = redis.call('HMGET', KEYS[1], 'share', 'state')
if known[1] ~= ARGV[1] or known[2] ~= 'sealed' then return { 0 } end
redis.call('UNLINK', KEYS[1], KEYS[2])
return { 1 }
