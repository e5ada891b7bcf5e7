-- Lets a reporter speak for a node. Results:
--   accepted   it is the reporter that always did
--   created    the node was not known, or forgotten after its retention
--   took_over  another one did and is silent; its mappings are dropped, they may be another kernel's
--   refused    another one does; this one is noted as its rival and nothing else is written
-- `<boot ID> !` on the channel says that what was known of the node must not be believed any more.
local function dropMappings(nodeKey, containersKey, vanishedKey, base)
  local count = tonumber(redis.call('HGET', nodeKey, 'buckets') or 1)
  for bucket = 0, count - 1 do redis.call('UNLINK', base .. ':' .. bucket) end
  redis.call('UNLINK', containersKey, vanishedKey)
end

local function noteRival(nodeKey, claim, rival, rivalSeen, now, timeout)
  -- `*` stands for several; a claim is never empty, and none is called that.
  local isAlone = not rival or rival == claim or now - rivalSeen > timeout
  redis.call('HSET', nodeKey, 'rival', isAlone and claim or '*', 'rival_heartbeat', now)
end

local function claimNode(nodeKey, containersKey, vanishedKey, base, request)
  local now = request.now
  local state = redis.call('HMGET', nodeKey, 'owner', 'heartbeat', 'rival', 'rival_heartbeat')
  local owner, heartbeat, rival = state[1], tonumber(state[2] or 0), state[3]
  local rivalSeen = tonumber(state[4] or 0)
  local result = 'accepted'
  if not owner or now - heartbeat > request.nodeRetentionMs then
    result = 'created'
    dropMappings(nodeKey, containersKey, vanishedKey, base)
    redis.call('UNLINK', nodeKey)
  elseif owner ~= request.claim then
    if now - heartbeat <= request.heartbeatTimeoutMs then
      noteRival(nodeKey, request.claim, rival, rivalSeen, now, request.heartbeatTimeoutMs)
      redis.call('PUBLISH', request.channel, request.bootId .. ' !')
      return 'refused', owner
    end
    result = 'took_over'
    dropMappings(nodeKey, containersKey, vanishedKey, base)
    redis.call('HDEL', nodeKey, 'buckets', 'mappings')
    redis.call('PUBLISH', request.channel, request.bootId .. ' !')
    if rival == request.claim then redis.call('HDEL', nodeKey, 'rival', 'rival_heartbeat') end
  elseif rival and now - rivalSeen > request.heartbeatTimeoutMs then
    redis.call('HDEL', nodeKey, 'rival', 'rival_heartbeat')
  end
  redis.call('HSET', nodeKey, 'owner', request.claim, 'heartbeat', now,
    'record', request.record, 'hierarchy', request.hierarchy, 'devices', request.devices)
  return result, request.claim
end
