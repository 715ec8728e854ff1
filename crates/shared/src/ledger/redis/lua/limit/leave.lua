-- ARGV: tenant, job, worker.
redis.call('HDEL', held, ARGV[5] .. ':' .. ARGV[6])
redis.call('HDEL', turns, 'w ' .. ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
return 1
