-- ARGV: stage, index, fence, rows, bytes, milliseconds of a lease.
local stage, index = keys_of(ARGV[5]), ARGV[6]
if not is_open(stage) then
  return not_open(ARGV[5])
end
local lease = lease_of(stage, index)
if not lease or lease.fence ~= ARGV[7] then
  return 'stop'
end
lease.rows, lease.bytes = ARGV[8], ARGV[9]
redis.call('HSET', stage.held, index, lease_text(lease))
redis.call('ZADD', stage.leases, now_ms + tonumber(ARGV[10]), index)
return redis.call('HGET', job, 'state') == 'stopped' and 'stop' or 'continue'
