-- KEYS[1] workers. ARGV: worker.
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.match(field, '^%S+ (.*)$') == ARGV[1] then
    redis.call('HDEL', KEYS[1], field)
  end
end
return 1
