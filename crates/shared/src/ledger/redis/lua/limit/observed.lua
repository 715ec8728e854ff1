-- ARGV: place of the dimension, units per minute or `-`, units that are left or `-`.
local place, per_minute, remaining = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if per_minute then
  redis.call('HSET', limit, 'told:' .. place, whole(per_minute) .. ' ' .. whole(now_ns + TOLD_NS))
end
local rate = rates()[place]
if remaining and rate then
  local left_ns = math.min(cost_ns(rate, remaining), depth_ns)
  set_paid(place, math.max(paid_ns(place), now_ns + depth_ns - left_ns))
end
keep()
return 1
