-- ARGV: budget.
local scope = ARGV[4]
local function names(scopes)
  return string.find(' ' .. scopes .. ' ', ' ' .. scope .. ' ', 1, true)
end
write()
redis.call('HDEL', books, scope)
local told = redis.call('HGETALL', ended)
for at = 1, #told, 2 do
  if names(string.match(told[at + 1], '^%S+ ?(.*)$')) then
    redis.call('HDEL', ended, told[at])
  end
end
return 1
