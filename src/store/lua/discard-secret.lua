-- Takes back a create that could not be replicated: nobody was told of it.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] name of the share's key, which tells whose record it is
--
-- {1 where it was there, 0 where it was not, or was somebody else's}

local known = redis.call('HMGET', KEYS[1], 'share', 'state', 'size', 'block')
if known[1] ~= ARGV[1] or (known[2] ~= 'sealed' and known[2] ~= 'uploading') then return { 0 } end
local blocks = known[4] and math.ceil(known[3] / known[4]) or 0
for n = 0, blocks - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
redis.call('UNLINK', KEYS[1], KEYS[2])
return { 1 }
