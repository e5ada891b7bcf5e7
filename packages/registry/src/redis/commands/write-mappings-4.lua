--[[
Publishes mappings of a node, marks others as vanished, and tells everybody who waits for one.
Atomic; the same call twice changes nothing the second time, and tells nobody.

KEYS[1] node        hash: the node's record and counters
KEYS[2] containers  hash: container ID -> `<mappings that name it> <attributes as JSON>`
KEYS[3] vanished    sorted set: field -> Unix ms when it vanished
KEYS[4] base        of the bucket hashes `<base>:<n>`: field -> container ID. In the same slot.

ARGV[1]  now, Unix ms; empty: the server's clock
ARGV[2]  claim: the name under which the reporter speaks for the node
ARGV[3]  the node's record as JSON
ARGV[4]  hierarchy: v2, hybrid or v1
ARGV[5]  devices, comma between them
ARGV[6]  heartbeat timeout, ms
ARGV[7]  retention of the node, ms
ARGV[8]  channel of publications: `<boot ID> <field> <field> ...`, `<boot ID> *` for more
         than it may name or than it can
ARGV[9]  the node's boot ID
ARGV[10] most mappings of a node
ARGV[11] most keys named in a publication
ARGV[12] number of containers C, [13] of published mappings P, [14] of vanished mappings V
then C times: container ID, attributes as JSON; P times: field, container ID; V times: field

Result: { claim result, its owner, mappings that changed, mappings refused as too many, marked as
vanished }
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
if claimed == 'refused' then return { claimed, owner, 0, 0, 0 } end

local store = openStore(KEYS[1], KEYS[2], KEYS[3], KEYS[4])
local mappingsMax = tonumber(ARGV[10])
local position = 15
local isNewRecord, publishedOf = {}, {}
for _ = 1, tonumber(ARGV[12]) do
  local id, attributes = ARGV[position], ARGV[position + 1]
  local record = store:record(id)
  if not record.isKnown or record.attributes ~= attributes then
    isNewRecord[id] = true
    record.attributes = attributes
    store.isDirty[id] = true
  end
  position = position + 2
end

local changed, changedCount, refused = {}, 0, 0
local keysMax = tonumber(ARGV[11])
for _ = 1, tonumber(ARGV[13]) do
  local field, id = ARGV[position], ARGV[position + 1]
  position = position + 2
  publishedOf[id] = (publishedOf[id] or 0) + 1
  local key = store:bucketKey(field)
  local old = redis.call('HGET', key, field)
  if not old and store.mappings >= mappingsMax then
    refused = refused + 1
  else
    local isChanged = isNewRecord[id]
    if old ~= id then
      redis.call('HSET', key, field, id)
      store:count(id, 1)
      if old then store:count(old, -1) else store.mappings = store.mappings + 1 end
      if not old and redis.call('HLEN', key) > fieldsPerBucket then store:grow() end
      isChanged = true
    end
    if redis.call('ZREM', KEYS[3], field) == 1 then isChanged = true end
    if isChanged then
      changedCount = changedCount + 1
      if changedCount <= keysMax then changed[changedCount] = field end
    end
  end
end

local vanished = 0
for _ = 1, tonumber(ARGV[14]) do
  local field = ARGV[position]
  position = position + 1
  if redis.call('HEXISTS', store:bucketKey(field), field) == 1 then
    vanished = vanished + redis.call('ZADD', KEYS[3], 'NX', now, field)
  end
end

store:save()
store:expire(nodeRetentionMs)
if changedCount > 0 then
  -- A new record of a container concerns its other directories too, which nobody has named here.
  local isPartial = changedCount > keysMax
  for id in pairs(isNewRecord) do
    if store:record(id).count > (publishedOf[id] or 0) then isPartial = true end
  end
  local keys = isPartial and '*' or table.concat(changed, ' ')
  redis.call('PUBLISH', ARGV[8], ARGV[9] .. ' ' .. keys)
end
return { claimed, owner, changedCount, refused, vanished }
