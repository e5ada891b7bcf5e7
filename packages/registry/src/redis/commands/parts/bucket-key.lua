-- Buckets of a node: bucket b of n is the hash `<base>:<b>`, n a power of two from 1 to 512.
--
-- Fibonacci hashing of the inode's lower 32 bits: kernfs IDs come in steps of 19 to 41, which a
-- plain remainder would put into half of the buckets or fewer. The upper bits choose the bucket, so
-- that doubling n sends what is in b to 2b and 2b + 1 and nowhere else.
local function bucketOf(field, count)
  local inode = tonumber(string.match(field, '^%d+'))
  local low = inode % 65536
  local high = math.floor(inode / 65536) % 65536
  local mixed = (low * 40503 + high * 24691) % 65536
  return math.floor(mixed * count / 65536)
end
