-- Takes back a create that could not be replicated: nobody was told of it. Where the same create came
-- a second time meanwhile, that one may have been, and the record stays.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
-- ARGV[1] name of the share's key, which tells whose record it is
-- ARGV[2] '1' where the share isn't there, so that nobody could open it: then it goes in any case
--
-- {1 where it was there, 0 where it was not, or was somebody else's}

local known = redis.call('HMGET', KEYS[1], 'share', 'state', 'asked', 'size', 'block')
if known[1] ~= ARGV[1] or (known[2] ~= 'sealed' and known[2] ~= 'uploading') then return { 0 } end
if known[3] and ARGV[2] ~= '1' then return { 0 } end
local blocks = known[5] and math.ceil(known[4] / known[5]) or 0
for n = 0, blocks - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
redis.call('UNLINK', KEYS[1], KEYS[2])
return { 1 }
