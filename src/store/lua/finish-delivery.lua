-- Removes a delivery that was made. Where another replica took it meanwhile, it is removed all the same.
--
-- KEYS[1] queue
-- ARGV[1] entry
--
-- {1, or 0 where somebody settled it before}

-- An empty queue without a group: it ran out meanwhile.
if redis.call('EXISTS', KEYS[1]) == 0 then return { 0 } end
local settled = redis.call('XACK', KEYS[1], 'senders', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
return { settled }
