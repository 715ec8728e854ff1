-- ARGV: stage, worker, milliseconds of a lease, deaths after which a shard runs alone, `others` or `none` for who runs beside
-- it, writer, then index and request of each shard.
-- A request that is repeated gets its lease again.
local stage, worker, company, writer = keys_of(ARGV[5]), ARGV[6], ARGV[9], ARGV[10]
local until_ms, deaths_alone = now_ms + tonumber(ARGV[7]), tonumber(ARGV[8])
local state, pinned = unpack(redis.call('HMGET', job, 'state', 'writer'))
local shards = state == 'running' and shards_of(stage)
local begun = {}
if not shards then
  for at = 11, #ARGV, 2 do
    begun[#begun + 1] = { 'stopped', '0' }
  end
  return begun
end

local indexes = {}
for at = 11, #ARGV, 2 do
  indexes[#indexes + 1] = ARGV[at]
end
local held = redis.call('HMGET', stage.held, unpack(indexes))
local failed = redis.call('HMGET', stage.failed, unpack(indexes))
local tries = redis.call('HMGET', stage.tries, unpack(indexes))
local cursor = tonumber(redis.call('HGET', stage.meta, 'cursor'))
local texts, times, given = {}, {}, {}

local function begin(at, index, request)
  if tonumber(index) >= shards then
    return { 'stopped', '0' }
  end
  if redis.call('GETBIT', stage.done, index) == 1 then
    return { 'done', '0' }
  end
  local lease = given[index] or lease_in(held[at])
  if lease and lease.worker == worker then
    return { lease.request == request and 'go' or 'mine', lease.fence }
  end
  if lease or failed[at] then
    return { 'busy', '0' }
  end
  if pinned and pinned ~= writer then
    return { 'other writer', '0' }
  end
  local _, deaths = tries_in(tries[at])
  local is_suspect = deaths >= deaths_alone
  if is_suspect and company == 'others' then
    return { 'alone', '0' }
  end
  if redis.call('ZREM', stage.waiting, index) == 0 and tonumber(index) >= cursor then
    redis.call('SADD', stage.early, index)
    keep(stage.early)
  end
  lease = { rows = '0', bytes = '0', request = request, worker = worker }
  lease.fence = next_number('fence')
  lease.alone = is_suspect and '1' or '0'
  given[index] = lease
  texts[#texts + 1], texts[#texts + 2] = index, lease_text(lease)
  times[#times + 1], times[#times + 2] = until_ms, index
  return { 'go', lease.fence }
end

for at, index in ipairs(indexes) do
  begun[at] = begin(at, index, ARGV[10 + 2 * at])
end
if #texts > 0 then
  redis.call('HSET', stage.held, unpack(texts))
  redis.call('ZADD', stage.leases, unpack(times))
  -- The first lease makes the two keys, which a view keeps from then on.
  if redis.call('ZCARD', stage.leases) == #texts / 2 then
    keep(stage.held)
    keep(stage.leases)
  end
end
return begun
