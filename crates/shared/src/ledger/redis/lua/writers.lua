-- KEYS[1] workers. ARGV: milliseconds added to the server's time, pool. Answers writers and the slots of each; forgets who is
-- silent.
local time = redis.call('TIME')
local now_ms = math.floor((time[1] * 1000000 + time[2]) / 1000) + ARGV[1]
local workers = redis.call('HGETALL', KEYS[1])
local sums = {}
for at = 1, #workers, 2 do
  local until_ms, slots, writer = string.match(workers[at + 1], '^(%d+) (%d+) (.*)$')
  if not until_ms or tonumber(until_ms) <= now_ms then
    redis.call('HDEL', KEYS[1], workers[at])
  elseif string.match(workers[at], '^(%S+) ') == ARGV[2] then
    sums[writer] = (sums[writer] or 0) + tonumber(slots)
  end
end
local answer = {}
for writer, slots in pairs(sums) do
  answer[#answer + 1] = writer
  answer[#answer + 1] = slots
end
return answer
