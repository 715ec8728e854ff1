-- ARGV: quota, or nothing.
if ARGV[4] then
  redis.call('HSET', limit, 'set_quota', ARGV[4])
else
  redis.call('HDEL', limit, 'set_quota')
end
keep()
return 1
