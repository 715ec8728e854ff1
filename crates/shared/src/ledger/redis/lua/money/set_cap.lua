-- ARGV: budget, cap. Answers nothing, or what is spent and held if that is more.
local figures = account(ARGV[4])
if not figures then
  return redis.error_reply('UNKNOWN ' .. ARGV[4])
end
local cap, least = tonumber(ARGV[5]), figures.spent + figures.held
if cap < least then
  write()
  return whole(least)
end
figures.cap = cap
write()
return false
