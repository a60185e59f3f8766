-- The end of a secret has been told: who was to be told of it is nobody's business any more.
--
-- KEYS[1] record
--
-- {1, or 0 where it has not ended: it was sealed again meanwhile}

local record = redis.call('HMGET', KEYS[1], 'v', 'state')
if not record[1] then return { 1 } end
local state = record[2]
if state == 'sealed' or state == 'locked' or state == 'uploading' then return { 0 } end
redis.call('HDEL', KEYS[1], 'sender')
return { 1 }
