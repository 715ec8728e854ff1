-- ARGV: stage, then index, rows and bytes of each shard.
local stage = keys_of(ARGV[5])
local shards = shards_of(stage)
if not shards then
  return not_open(ARGV[5])
end

-- Of a shard that is committed twice, the first commit counts.
local indexes, rows, bytes = {}, 0, 0
for at = 6, #ARGV, 3 do
  if tonumber(ARGV[at]) < shards and redis.call('SETBIT', stage.done, ARGV[at], 1) == 0 then
    indexes[#indexes + 1] = ARGV[at]
    rows, bytes = rows + tonumber(ARGV[at + 1]), bytes + tonumber(ARGV[at + 2])
  end
end
if #indexes == 0 then
  return 0
end
-- The first commit of the stage makes the key, which a view keeps from then on.
if redis.call('HINCRBY', stage.meta, 'done', #indexes) == #indexes then
  keep(stage.done)
end
redis.call('HINCRBY', stage.meta, 'rows', string.format('%.0f', rows))
redis.call('HINCRBY', stage.meta, 'bytes', string.format('%.0f', bytes))
redis.call('ZREM', stage.waiting, unpack(indexes))
redis.call('ZREM', stage.leases, unpack(indexes))
redis.call('HDEL', stage.held, unpack(indexes))
redis.call('HDEL', stage.failed, unpack(indexes))
redis.call('HDEL', stage.tries, unpack(indexes))
changed()
return #indexes
