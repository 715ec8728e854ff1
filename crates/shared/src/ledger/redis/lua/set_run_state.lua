-- ARGV: running, paused or stopped.
if redis.call('HGET', job, 'state') == ARGV[5] then
  return 0
end
redis.call('HSET', job, 'state', ARGV[5])
changed()
return 1
