-- Gives deliveries to one caller among all replicas: those first that somebody took and never settled.
-- All callers are one consumer, since only the time since the last take decides who may have an entry;
-- so no names of dead processes pile up.
--
-- KEYS[1] queue
-- KEYS[2] delayed
-- ARGV[1] how many at most
-- ARGV[2] how long after a take somebody else may have it, ms
-- ARGV[3] where the last look for those ended, at first '0-0'
-- ARGV[4] how long a queue is kept to which nothing is added, ms
--
-- {where this look ended, entry, delivery, entry, delivery, ...}

local count = tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, count)
if #due > 0 then
  -- First, because a full Redis allows it, and then allows the rest.
  redis.call('ZREM', KEYS[2], unpack(due))
  if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[1], 'senders', '0', 'MKSTREAM') end
  for _, delivery in ipairs(due) do redis.call('XADD', KEYS[1], '*', 'd', delivery) end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
if redis.call('EXISTS', KEYS[1]) == 0 then return { '0-0' } end

local claimed = redis.call('XAUTOCLAIM', KEYS[1], 'senders', 'all', ARGV[2], ARGV[3], 'COUNT', count)
local answer, entries = { claimed[1] }, claimed[2]
local function give()
  for _, entry in ipairs(entries) do
    -- Redis 6.2 names entries that somebody has deleted, without anything in them.
    if entry then
      answer[#answer + 1] = entry[1]
      answer[#answer + 1] = entry[2][2]
    end
  end
end
give()
local room = count - #entries
if room == 0 then return answer end
local new = redis.call('XREADGROUP', 'GROUP', 'senders', 'all', 'COUNT', room, 'STREAMS', KEYS[1], '>')
if not new then return answer end
entries = new[1][2]
give()
return answer
