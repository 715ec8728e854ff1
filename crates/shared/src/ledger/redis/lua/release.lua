-- ARGV: stage, most, request. Answers the indexes, parted by spaces. A request that is repeated gets the same answer.
local stage, most, request = keys_of(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
if not is_open(stage) then
  return not_open(ARGV[5])
end
local last, answer = unpack(redis.call('HMGET', stage.meta, 'request', 'answer'))
if last == request then
  return answer
end
local shards = shards_of(stage)
local cursor = tonumber(redis.call('HGET', stage.meta, 'cursor'))
local has_early = redis.call('EXISTS', stage.early) == 1

-- The first shard from `index` on that is not committed. Whole bytes of commits are passed over at once.
local function not_done(index)
  while index % 8 ~= 0 do
    if redis.call('GETBIT', stage.done, index) == 0 then
      return index
    end
    index = index + 1
  end
  if index / 8 >= redis.call('STRLEN', stage.done) then
    return index
  end
  return redis.call('BITPOS', stage.done, 0, index / 8)
end

-- The first shard from `index` on of which nothing is known.
local function not_known(index)
  index = not_done(index)
  while has_early and index < shards and redis.call('SREM', stage.early, index) == 1 do
    index = not_done(index + 1)
  end
  return index
end

local released = {}
cursor = not_known(cursor)
while #released < most and cursor < shards do
  released[#released + 1] = cursor
  cursor = not_known(cursor + 1)
end
wait_all(stage, released)
answer = table.concat(released, ' ')
redis.call('HSET', stage.meta, 'cursor', cursor, 'request', request, 'answer', answer)
keep(stage.meta)
if cursor >= shards then
  redis.call('UNLINK', stage.early)
end
changed()
return answer
