-- KEYS[1] workers. ARGV: milliseconds added to the server's time, worker, pool, slots, milliseconds it is true for, writer.
local time = redis.call('TIME')
local until_ms = math.floor((time[1] * 1000000 + time[2]) / 1000) + ARGV[1] + ARGV[5]
redis.call('HSET', KEYS[1], ARGV[3] .. ' ' .. ARGV[2], string.format('%.0f %s %s', until_ms, ARGV[4], ARGV[6]))
redis.call('EXPIRE', KEYS[1], 86400)
return 1
