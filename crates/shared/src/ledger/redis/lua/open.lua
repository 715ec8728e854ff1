-- ARGV: stage, number of shards.
local name, shards = ARGV[5], ARGV[6]
local stage = keys_of(name)
if is_open(stage) then
  return 0
end
redis.call('HSET', stage.meta, 'shards', shards, 'done', 0, 'cursor', 0, 'rows', 0, 'bytes', 0)
keep(stage.meta)
redis.call('HSETNX', job, 'state', 'running')
redis.call('HSET', job, 'stages', (redis.call('HGET', job, 'stages') or '') .. ' ' .. name)
changed()
return 1
