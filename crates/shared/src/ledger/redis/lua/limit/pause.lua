-- ARGV: milliseconds.
local until_ns = now_ns + ARGV[4] * MS_NS
redis.call('HSET', limit, 'paused_ns', whole(math.max(number('paused_ns'), until_ns)))
for place in pairs(rates()) do
  set_paid(place, math.max(paid_ns(place), until_ns + depth_ns))
end
keep()
return 1
