-- Puts a delivery where only the operator looks.
--
-- KEYS[1] queue
-- KEYS[2] dead letters of all destinations
-- ARGV[1] entry
-- ARGV[2] the delivery
-- ARGV[3] why
-- ARGV[4] of how many the latest are kept, roughly
-- ARGV[5] for how long, ms
--
-- {1, or 0 where somebody settled it before}

if redis.call('EXISTS', KEYS[1]) == 0 then return { 0 } end
if redis.call('XACK', KEYS[1], 'senders', ARGV[1]) == 0 then return { 0 } end
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'd', ARGV[2], 'reason', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return { 1 }
