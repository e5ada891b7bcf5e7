-- Unix time in milliseconds: the caller's when it says one (tests), else the server's, so that all
-- reporters and gateways share one clock.
local function nowMs(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
