-- ARGV: the writer.
if redis.call('HGET', job, 'writer') == ARGV[5] then
  return 0
end
redis.call('HSET', job, 'writer', ARGV[5])
redis.call('HSETNX', job, 'state', 'running')
changed()
return 1
