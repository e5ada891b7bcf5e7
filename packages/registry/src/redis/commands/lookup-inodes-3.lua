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

-- The fields that a key may stand under: one, or one per device when it names none.
local function fieldsOf(inode, device)
  if isSingle then
    if device ~= '' and device ~= devices[1] then return {} end
    return { inode }
  end
  if device ~= '' then return { inode .. '@' .. device } end
  local fields = {}
  for i, candidate in ipairs(devices) do fields[i] = inode .. '@' .. candidate end
  return fields
end

-- HMGET for any number of fields; Lua's stack holds some thousands of arguments.
local function getAll(key, fields, found)
  for from = 1, #fields, 1000 do
    local to = math.min(from + 999, #fields)
    local values = redis.call('HMGET', key, unpack(fields, from, to))
    for i = from, to do found[fields[i]] = values[i - from + 1] end
  end
end

local fieldsOfKey, fieldsOfBucket = {}, {}
for i = 4, #ARGV do
  local inode, device = string.match(ARGV[i], '^(%d+)@?(%d*)$')
  local fields = fieldsOf(inode, device)
  fieldsOfKey[i - 3] = fields
  for _, field in ipairs(fields) do
    local bucket = bucketOf(field, buckets)
    local others = fieldsOfBucket[bucket]
    if others then others[#others + 1] = field else fieldsOfBucket[bucket] = { field } end
  end
end
local containerOf = {}
for bucket, fields in pairs(fieldsOfBucket) do
  getAll(KEYS[3] .. ':' .. bucket, fields, containerOf)
end

-- The container of some fields, false when there is none, nil when there are several.
local function onlyContainer(fields)
  local found = false
  for _, field in ipairs(fields) do
    local id = containerOf[field]
    if id and found and id ~= found then return nil end
    found = id or found
  end
  return found
end

local answers, ids, positions = {}, {}, {}
for i, fields in ipairs(fieldsOfKey) do
  local id = onlyContainer(fields)
  if id == nil then
    answers[i] = -1
  elseif not id then
    answers[i] = 0
  else
    if not positions[id] then
      ids[#ids + 1] = id
      positions[id] = #ids
    end
    answers[i] = positions[id]
  end
end
local texts, records = {}, {}
getAll(KEYS[2], ids, texts)
for i, id in ipairs(ids) do
  records[2 * i - 1] = id
  records[2 * i] = texts[id] and string.match(texts[id], '^%d+ (.*)$') or '{}'
end
return { now - heartbeat <= timeout and 'alive' or 'stale', answers, records }
