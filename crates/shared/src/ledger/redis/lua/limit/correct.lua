-- ARGV: tenant, job; requests, input and output tokens that were not used; the same beyond what was taken.
local unused, overrun = need(ARGV[6], ARGV[7], ARGV[8]), need(ARGV[9], ARGV[10], ARGV[11])
local most_ns = 0
for place, per_minute in pairs(rates()) do
  local back_ns = cost_ns(per_minute, unused[place])
  set_paid(place, paid_ns(place) - back_ns)
  if overrun[place] > 0 then
    take(place, per_minute, overrun[place])
  end
  most_ns = math.max(most_ns, back_ns)
end
refund(ARGV[4], ARGV[5], most_ns)
keep()
return 1
