-- Adds and removes mappings of one node and counts, per container, the mappings that name it, so
-- that a container's record goes with its last mapping. Read once, written back by `store:save()`.
local fieldsPerBucket = 128
local bucketsMax = 512

local function openStore(nodeKey, containersKey, vanishedKey, base)
  local store = { records = {}, isDirty = {} }
  local state = redis.call('HMGET', nodeKey, 'buckets', 'mappings')
  store.buckets = tonumber(state[1] or 1)
  store.mappings = tonumber(state[2] or 0)

  function store:bucketKey(field)
    return base .. ':' .. bucketOf(field, self.buckets)
  end

  -- A container's record: `<mappings that name it> <attributes as JSON>`.
  function store:record(id)
    local record = self.records[id]
    if record then return record end
    local text = redis.call('HGET', containersKey, id)
    record = { count = 0, attributes = '{}', isKnown = false }
    if text then
      local count, attributes = string.match(text, '^(%d+) (.*)$')
      record = { count = tonumber(count), attributes = attributes, isKnown = true }
    end
    self.records[id] = record
    return record
  end

  function store:count(id, change)
    local record = self:record(id)
    record.count = record.count + change
    self.isDirty[id] = true
  end

  -- Removes a mapping; false when there was none.
  function store:remove(field)
    local key = self:bucketKey(field)
    local id = redis.call('HGET', key, field)
    redis.call('ZREM', vanishedKey, field)
    if not id then return false end
    redis.call('HDEL', key, field)
    self.mappings = self.mappings - 1
    self:count(id, -1)
    return true
  end

  -- Doubles the number of buckets until each is small enough to stay a listpack. From the last to
  -- the first, so that a target has always been emptied before it is written.
  function store:grow()
    local largest = fieldsPerBucket + 1
    while largest > fieldsPerBucket and self.buckets < bucketsMax do
      local count = self.buckets * 2
      largest = 0
      for bucket = self.buckets - 1, 0, -1 do
        local entries = redis.call('HGETALL', base .. ':' .. bucket)
        local halves = { {}, {} }
        for i = 1, #entries, 2 do
          local half = halves[bucketOf(entries[i], count) - 2 * bucket + 1]
          half[#half + 1] = entries[i]
          half[#half + 1] = entries[i + 1]
        end
        redis.call('UNLINK', base .. ':' .. bucket, base .. ':' .. 2 * bucket, base .. ':' .. 2 * bucket + 1)
        for half = 1, 2 do
          local fields = halves[half]
          largest = math.max(largest, #fields / 2)
          local key = base .. ':' .. (2 * bucket + half - 1)
          for from = 1, #fields, 512 do
            redis.call('HSET', key, unpack(fields, from, math.min(from + 511, #fields)))
          end
        end
      end
      self.buckets = count
    end
  end

  function store:save()
    for id in pairs(self.isDirty) do
      local record = self.records[id]
      if record.count <= 0 then
        redis.call('HDEL', containersKey, id)
      else
        redis.call('HSET', containersKey, id, record.count .. ' ' .. record.attributes)
      end
    end
    redis.call('HSET', nodeKey, 'buckets', self.buckets, 'mappings', self.mappings)
  end

  -- Everything of a node dies together, when its reporter is silent for the node's retention.
  function store:expire(retentionMs)
    redis.call('PEXPIRE', nodeKey, retentionMs)
    redis.call('PEXPIRE', containersKey, retentionMs)
    redis.call('PEXPIRE', vanishedKey, retentionMs)
    for bucket = 0, self.buckets - 1 do
      redis.call('PEXPIRE', base .. ':' .. bucket, retentionMs)
    end
  end

  return store
end
