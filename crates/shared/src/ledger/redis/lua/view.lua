-- ARGV: waiting shards to show, the failure of a shard that died alone.
-- Answers revision, time, run state, and of each stage: name, shards, done, leased, cursor, waiting, tries, failed.
local most, deadly = tonumber(ARGV[5]), ARGV[6]
local REFRESH_S = 3600
local state = redis.call('HGET', job, 'state')
if not state then
  return unknown(job_id)
end
local names = stages()
local opened = {}
for _, name in ipairs(names) do
  opened[name] = keys_of(name)
end

-- Every script keeps what it changes; this keeps what nobody has changed for long in a job that lives.
local kept = tonumber(redis.call('HGET', job, 'kept_s') or '0')
if tonumber(time[1]) - kept >= REFRESH_S then
  redis.call('HSET', job, 'kept_s', time[1])
  keep(job)
  for _, stage in pairs(opened) do
    for _, key in pairs(stage) do
      keep(key)
    end
  end
end

local has_ended = false
for _, stage in pairs(opened) do
  for _, index in ipairs(redis.call('ZRANGEBYSCORE', stage.leases, '-inf', string.format('%.0f', now_ms))) do
    local lease = lease_of(stage, index)
    local attempts, deaths = tries_of(stage, index)
    drop_lease(stage, index)
    set_tries(stage, index, attempts, deaths + 1)
    if lease.alone == '1' then
      fail(stage, index, deadly)
    else
      wait(stage, index)
    end
    has_ended = true
  end
end
if has_ended then
  changed()
end

local shown = {}
for at, name in ipairs(names) do
  local stage = opened[name]
  local shards, done, cursor = unpack(redis.call('HMGET', stage.meta, 'shards', 'done', 'cursor'))
  shown[at] = {
    name,
    shards,
    done,
    redis.call('HLEN', stage.held),
    cursor,
    table.concat(redis.call('ZRANGE', stage.waiting, 0, most - 1), ' '),
    redis.call('HGETALL', stage.tries),
    redis.call('HGETALL', stage.failed),
  }
end
return { redis.call('HGET', job, 'revision'), string.format('%.0f', now_ms), state, shown }
