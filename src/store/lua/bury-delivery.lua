-- Puts a delivery where only the operator looks.
--
-- KEYS[1] queue
-- KEYS[2] dead letters of all destinations
-- ARGV[1] entry
-- ARGV[2] the delivery
-- ARGV[3] why
-- ARGV[4] of how many the latest are kept, and up to half as many more
-- ARGV[5] for how long, ms: what is older goes when the next one comes, or all of them together
--
-- {1, or 0 where somebody settled it before}

if redis.call('EXISTS', KEYS[1]) == 0 then return { 0 } end
if redis.call('XACK', KEYS[1], 'senders', ARGV[1]) == 0 then return { 0 } end
redis.call('XDEL', KEYS[1], ARGV[1])
-- An XADD takes one bound. They hold labels and addresses, so the time counts wherever the number allows.
local by, bound = 'MAXLEN', ARGV[4]
if redis.call('XLEN', KEYS[2]) < 1.5 * tonumber(ARGV[4]) then
  by, bound = 'MINID', string.format('%.0f', redis.call('TIME')[1] * 1000 - tonumber(ARGV[5]))
end
redis.call('XADD', KEYS[2], by, '=', bound, '*', 'd', ARGV[2], 'reason', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return { 1 }
