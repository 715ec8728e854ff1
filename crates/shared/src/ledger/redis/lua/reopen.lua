-- ARGV: stage, index.
local stage, index = keys_of(ARGV[5]), ARGV[6]
if not is_open(stage) then
  return not_open(ARGV[5])
end
if redis.call('HDEL', stage.failed, index) == 0 then
  return 0
end
wait(stage, index)
changed()
return 1
