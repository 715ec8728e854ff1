-- ARGV: leases. Answers the world.
for at = 4, #ARGV do
  redis.call('ZADD', leases, 'XX', whole(now_ms + lease_ms), ARGV[at])
end
write()
return world
