--[[
Notes in an index that a node was heard of, and takes out some that were not for too long. An index
is only a hint: whoever reads it looks at the node itself, so it may lag behind or point nowhere.

KEYS[1] index  sorted set: boot ID -> Unix ms when it was heard of

ARGV[1]  now, Unix ms; empty: the server's clock
ARGV[2]  boot ID
ARGV[3]  retention of the node, ms
ARGV[4]  most entries to take out

Result: entries taken out
]]
--- include: now

local now = nowMs(ARGV[1])
local retentionMs = tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', KEYS[1], retentionMs)
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - retentionMs, 'LIMIT', 0,
  tonumber(ARGV[4]))
if #old > 0 then redis.call('ZREM', KEYS[1], unpack(old)) end
return #old
