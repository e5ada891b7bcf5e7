--[[
Answers inodes of one node. Reads only. The number of buckets is read in the same atomic step as the
buckets themselves, so growth in between can never turn a hit into a miss.

KEYS[1] node        hash: the node's record and counters
KEYS[2] containers  hash: container ID -> `<mappings that name it> <attributes as JSON>`
KEYS[3] base        of the bucket hashes `<base>:<n>`: field -> container ID. In the same slot.

ARGV[1]  now, Unix ms; empty: the server's clock
ARGV[2]  heartbeat timeout, ms
ARGV[3]  retention of the node, ms
ARGV[4]  and on: keys, `<inode>` or `<inode>@<device>`

Result: { state, answers, records }
  state    unknown, alive, stale or conflicted; the lists are empty when unknown or conflicted
  answers  per key: 0 not there, -1 ambiguous, else the position of its container in records, from 1
  records  container ID and attributes as JSON in turn, every container once
]]
--- include: now
--- include: bucket-key

local now = nowMs(ARGV[1])
local node = redis.call('HMGET', KEYS[1], 'heartbeat', 'rival_heartbeat', 'buckets', 'hierarchy',
  'devices')
local heartbeat = tonumber(node[1] or 0)
if not node[1] or now - heartbeat > tonumber(ARGV[3]) then return { 'unknown', {}, {} } end
local timeout = tonumber(ARGV[2])
if node[2] and now - tonumber(node[2]) <= timeout then return { 'conflicted', {}, {} } end

local buckets = tonumber(node[3] or 1)
local isSingle = node[4] == 'v2'
local devices = {}
for device in string.gmatch(node[5], '%d+') do devices[#devices + 1] = device end

local function containerAt(field)
  return redis.call('HGET', KEYS[3] .. ':' .. bucketOf(field, buckets), field)
end

-- The container of a key, false when there is none, nil when there are several.
local function containerOf(inode, device)
  if isSingle then
    if device ~= '' and device ~= devices[1] then return false end
    return containerAt(inode)
  end
  if device ~= '' then return containerAt(inode .. '@' .. device) end
  local found = false
  for _, candidate in ipairs(devices) do
    local id = containerAt(inode .. '@' .. candidate)
    if id and found and id ~= found then return nil end
    found = id or found
  end
  return found
end

local answers, records, positions = {}, {}, {}
for i = 4, #ARGV do
  local inode, device = string.match(ARGV[i], '^(%d+)@?(%d*)$')
  local id = containerOf(inode, device)
  if id == nil then
    answers[#answers + 1] = -1
  elseif not id then
    answers[#answers + 1] = 0
  else
    if not positions[id] then
      local text = redis.call('HGET', KEYS[2], id)
      records[#records + 1] = id
      records[#records + 1] = text and string.match(text, '^%d+ (.*)$') or '{}'
      positions[id] = #records / 2
    end
    answers[#answers + 1] = positions[id]
  end
end
return { now - heartbeat <= timeout and 'alive' or 'stale', answers, records }
