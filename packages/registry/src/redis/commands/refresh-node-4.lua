--[[
Says a node is alive, forgets what vanished longer ago than its retention, and puts off the expiry
of all its keys. Bounded: at most ARGV[11] mappings are forgotten by one call.

KEYS[1] to KEYS[4] and ARGV[1] to ARGV[9]: as in write-mappings-4.lua
ARGV[10] retention of a vanished mapping, ms
ARGV[11] most mappings to forget

Result: { claim result, its owner, mappings forgotten }
]]
--- include: now
--- include: bucket-key
--- include: claim-node
--- include: mapping-store

local now = nowMs(ARGV[1])
local nodeRetentionMs = tonumber(ARGV[7])
local claimed, owner = claimNode(KEYS[1], KEYS[2], KEYS[3], KEYS[4], {
  now = now, claim = ARGV[2], record = ARGV[3], hierarchy = ARGV[4], devices = ARGV[5],
  heartbeatTimeoutMs = tonumber(ARGV[6]), nodeRetentionMs = nodeRetentionMs,
  channel = ARGV[8], bootId = ARGV[9],
})
if claimed == 'refused' then return { claimed, owner, 0 } end

local store = openStore(KEYS[1], KEYS[2], KEYS[3], KEYS[4])
local fields = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[10]),
  'LIMIT', 0, tonumber(ARGV[11]))
for _, field in ipairs(fields) do store:remove(field) end
store:save()
store:expire(nodeRetentionMs)
return { claimed, owner, #fields }
