-- Puts a delivery off; take-deliveries brings it back.
--
-- KEYS[1] queue
-- KEYS[2] delayed
-- ARGV[1] entry
-- ARGV[2] the delivery as it is to come back
-- ARGV[3] how long it waits, ms
-- ARGV[4] how long it is kept where nobody takes it, ms
--
-- {1, or 0 where somebody settled it before}

if redis.call('EXISTS', KEYS[1]) == 0 then return { 0 } end
if redis.call('XACK', KEYS[1], 'senders', ARGV[1]) == 0 then return { 0 } end
redis.call('XDEL', KEYS[1], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[3]), ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return { 1 }
