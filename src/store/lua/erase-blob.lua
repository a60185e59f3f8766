-- Destroys the ciphertext of a secret that was handed over and can't be fetched again.
--
-- KEYS[1] record
-- KEYS[2] ciphertext; its blocks, where it has some, are named after it
--
-- {1 where it was opened, 0 otherwise}

local record = redis.call('HMGET', KEYS[1], 'state', 'size', 'block')
if record[1] ~= 'opened' then return { 0 } end
redis.call('UNLINK', KEYS[2])
local blocks = record[3] and math.ceil(record[2] / record[3]) or 0
for n = 0, blocks - 1 do redis.call('UNLINK', KEYS[2] .. ':' .. n) end
return { 1 }
