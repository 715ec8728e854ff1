-- What every script on a job begins with.
-- KEYS[1] is the tag of all keys of the job: the keys below it are made here, which a cluster allows within one tag.
-- ARGV[1] seconds that keys outlive their last change, ARGV[2] milliseconds added to the server's time, ARGV[3] the channel of
-- notices, ARGV[4] the job's id. The arguments of a script begin at ARGV[5].
-- Numbers above 1e14 never pass through `..`, which would round them.

local tag, keep_s, channel, job_id = KEYS[1], ARGV[1], ARGV[3], ARGV[4]
local job = tag .. ':job'
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000) + tonumber(ARGV[2])

local function keep(key)
  redis.call('EXPIRE', key, keep_s)
end

local function unknown(what)
  return redis.error_reply('UNKNOWN ' .. what)
end

-- A number above every earlier one, even of a ledger that was wiped or came back without its last second; and whether it is
-- the first of its name.
local function next_number(field)
  local before = redis.call('HGET', job, field)
  local number = string.format('%.0f', math.max(tonumber(before or '0') + 1, now_us))
  redis.call('HSET', job, field, number)
  return number, not before
end

-- Tells everyone who waits. A user who may not publish is no reason to fail: waiters look by themselves, too.
local function changed()
  local revision, is_new = next_number('revision')
  if is_new then
    keep(job)
  end
  redis.pcall('PUBLISH', channel, job_id .. ' ' .. revision)
end

-- The keys of a stage; `meta` is there if and only if the stage is open.
local function keys_of(stage)
  local base = tag .. ':' .. stage .. ':'
  return {
    meta = base .. 'meta',
    done = base .. 'done',
    waiting = base .. 'waiting',
    early = base .. 'early',
    leases = base .. 'leases',
    held = base .. 'held',
    failed = base .. 'failed',
    tries = base .. 'tries',
  }
end

-- The answer to who speaks of a stage that is not open.
local function not_open(name)
  return unknown(redis.call('EXISTS', job) == 1 and name or job_id)
end

local function is_open(stage)
  return redis.call('EXISTS', stage.meta) == 1
end

local function stages()
  local names = {}
  for name in string.gmatch(redis.call('HGET', job, 'stages') or '', '%S+') do
    names[#names + 1] = name
  end
  return names
end

-- How many shards the stage has; nothing unless it is open.
local function shards_of(stage)
  return tonumber(redis.call('HGET', stage.meta, 'shards'))
end

local function wait_all(stage, indexes)
  local TOGETHER = 500
  for from = 1, #indexes, TOGETHER do
    local members = {}
    for at = from, math.min(from + TOGETHER - 1, #indexes) do
      members[#members + 1] = indexes[at]
      members[#members + 1] = indexes[at]
    end
    redis.call('ZADD', stage.waiting, unpack(members))
  end
  keep(stage.waiting)
end

local function wait(stage, index)
  wait_all(stage, { index })
end

local function tries_in(text)
  local attempts, deaths = string.match(text or '0 0', '^(%d+) (%d+)$')
  return tonumber(attempts), tonumber(deaths)
end

local function tries_of(stage, index)
  return tries_in(redis.call('HGET', stage.tries, index))
end

local function set_tries(stage, index, attempts, deaths)
  redis.call('HSET', stage.tries, index, attempts .. ' ' .. deaths)
  keep(stage.tries)
end

local function fail(stage, index, failure)
  local at = string.format('%.0f', now_ms)
  redis.call('HSET', stage.failed, index, at .. ' ' .. failure)
  keep(stage.failed)
end

-- A lease: its number, whether the shard runs alone, what it has made, the request that took it, its worker.
local function lease_in(text)
  if not text then
    return nil
  end
  local fence, alone, rows, bytes, request, worker = string.match(text, '^(%d+) (%d) (%d+) (%d+) (%S+) (.*)$')
  return { fence = fence, alone = alone, rows = rows, bytes = bytes, request = request, worker = worker }
end

local function lease_of(stage, index)
  return lease_in(redis.call('HGET', stage.held, index))
end

local function lease_text(lease)
  return table.concat({ lease.fence, lease.alone, lease.rows, lease.bytes, lease.request, lease.worker }, ' ')
end

local function drop_lease(stage, index)
  redis.call('HDEL', stage.held, index)
  redis.call('ZREM', stage.leases, index)
end
