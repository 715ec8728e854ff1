-- ARGV: stage, index, fence, then `failed` failure, or `later` failure, or `stopped`. A commit is noted by mark_done.lua.
local stage, index, fence, outcome = keys_of(ARGV[5]), ARGV[6], ARGV[7], ARGV[8]
local shards = shards_of(stage)
if not shards then
  return not_open(ARGV[5])
end
local lease = lease_of(stage, index)
if not lease or lease.fence ~= fence then
  return 0
end
drop_lease(stage, index)
if outcome == 'failed' then
  local attempts, deaths = tries_of(stage, index)
  set_tries(stage, index, attempts + 1, deaths)
  fail(stage, index, ARGV[9])
elseif outcome == 'later' then
  fail(stage, index, ARGV[9])
else
  wait(stage, index)
end
changed()
return 1
