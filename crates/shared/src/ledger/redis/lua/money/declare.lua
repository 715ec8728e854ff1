-- ARGV: a lease, `holder` or `store`, then ticket, id, request, amount and budgets of each of its open holds, of which an allowance
-- has no more than the last two. Answers `done` or `closed`.
local lease, teller = ARGV[4], ARGV[5]
for at = 10, #ARGV, 5 do
  if not knows(ARGV[at]) then
    return 'closed'
  end
end

local is_known = redis.call('ZSCORE', leases, lease)
if teller == 'store' and not is_known then
  take(next_ticket(), { id = '-', request = '-', lease = lease, amount = tonumber(ARGV[9]), scopes = ARGV[10] })
  live(lease)
end
if teller == 'holder' then
  for _, ticket in ipairs(redis.call('SMEMBERS', lease_key(lease))) do
    local hold = hold_of(ticket)
    if hold and hold.id == '-' then
      release(ticket)
    end
  end
  live(lease)
  for at = 6, #ARGV, 5 do
    local ticket = ARGV[at]
    local is_told = redis.call('HEXISTS', holds, ticket) == 1 or redis.call('HEXISTS', ended, ticket) == 1
    if tonumber(ticket) < tonumber(world) and not is_told then
      local amount = tonumber(ARGV[at + 3])
      take(ticket, { id = ARGV[at + 1], request = ARGV[at + 2], lease = lease, amount = amount, scopes = ARGV[at + 4] })
    end
  end
end
write()
return 'done'
