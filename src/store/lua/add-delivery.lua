-- Puts a delivery in its destination's queue, once for each key.
--
-- KEYS[1] mark of the key
-- KEYS[2] queue
-- KEYS[3] delayed
-- ARGV[1] the delivery
-- ARGV[2] how many may wait there
-- ARGV[3] how long the key is remembered, ms
-- ARGV[4] how long a queue is kept to which nothing is added, ms
--
-- {'added'} or {'known'} or {'full'}

if redis.call('EXISTS', KEYS[1]) == 1 then return { 'known' } end
if redis.call('XLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[2]) then return { 'full' } end
-- Wherever there is a queue there is its group, so nobody has to ask for it.
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[2], 'senders', '0', 'MKSTREAM') end
redis.call('XADD', KEYS[2], '*', 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
redis.call('SET', KEYS[1], '', 'PX', ARGV[3])
return { 'added' }
