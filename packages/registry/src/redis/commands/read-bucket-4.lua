--[[
Reads the mappings of one bucket of a node. Doubling the buckets sends what is in bucket b of n to 2b
and 2b + 1 of 2n, so a reader that was at b of n goes on at 2b of 2n and misses nothing.

KEYS[1] to KEYS[4]: as in write-mappings-4.lua

ARGV[1]  the bucket to read
ARGV[2]  number of buckets the caller believes in

Result: { number of buckets, mappings, records }; the lists are empty when the number is another one
  mappings  field, container ID, Unix ms when it vanished or empty, in turn
  records   container ID and attributes as JSON in turn, every container once
]]
local buckets = tonumber(redis.call('HGET', KEYS[1], 'buckets') or 0)
if buckets ~= tonumber(ARGV[2]) then return { buckets, {}, {} } end
local entries = redis.call('HGETALL', KEYS[4] .. ':' .. ARGV[1])
local mappings, records, isRead = {}, {}, {}
for i = 1, #entries, 2 do
  local id = entries[i + 1]
  mappings[#mappings + 1] = entries[i]
  mappings[#mappings + 1] = id
  mappings[#mappings + 1] = redis.call('ZSCORE', KEYS[3], entries[i]) or ''
  if not isRead[id] then
    isRead[id] = true
    local text = redis.call('HGET', KEYS[2], id)
    records[#records + 1] = id
    records[#records + 1] = text and string.match(text, '^%d+ (.*)$') or '{}'
  end
end
return { buckets, mappings, records }
