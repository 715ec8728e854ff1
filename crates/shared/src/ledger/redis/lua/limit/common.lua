-- What every script on a model's limits begins with.
-- KEYS[1] is the tag of all its keys, which are made here. ARGV[1] seconds that keys outlive their last change, ARGV[2]
-- milliseconds added to the server's time, ARGV[3] nanoseconds that may be taken at once. The arguments of a script begin at ARGV[4].
-- Times are nanoseconds since the limits began, so that numbers here hold them exactly for a hundred days.

local tag, keep_s, depth_ns = KEYS[1], ARGV[1], tonumber(ARGV[3])
local limit, turns, held = tag .. ':limit', tag .. ':turns', tag .. ':slots'
local MS_NS, MINUTE_NS, TOLD_NS = 1e6, 6e10, 6e10
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2] + ARGV[2] * 1000

local function whole(number)
  return string.format('%.0f', number)
end

-- Limits that nobody knows begin empty.
local begun_us = tonumber(redis.call('HGET', limit, 'begun_us'))
if not begun_us then
  begun_us = now_us
  redis.call('HSET', limit, 'begun_us', whole(begun_us))
end
local now_ns = math.max(0, now_us - begun_us) * 1000

local function keep()
  for _, key in ipairs({ limit, turns, held }) do
    redis.call('EXPIRE', key, keep_s)
  end
end

local function number(field)
  return tonumber(redis.call('HGET', limit, field) or '0')
end

-- Requests, tokens, input tokens, output tokens per minute and calls at once; 0 is no limit.
local function quota()
  local text = redis.call('HGET', limit, 'set_quota') or redis.call('HGET', limit, 'quota') or '0 0 0 0 0'
  local numbers = {}
  for part in string.gmatch(text, '%d+') do
    numbers[#numbers + 1] = tonumber(part)
  end
  return numbers
end

-- The limits that there are: units per minute by their place.
local function rates()
  local set, found = quota(), {}
  for place = 1, 4 do
    local per_minute = set[place]
    local told, until_ns = string.match(redis.call('HGET', limit, 'told:' .. place) or '', '^(%d+) (%d+)$')
    if told and tonumber(until_ns) > now_ns then
      per_minute = per_minute > 0 and math.min(per_minute, tonumber(told)) or tonumber(told)
    end
    if per_minute > 0 then
      found[place] = per_minute
    end
  end
  return found
end

local function cost_ns(per_minute, units)
  return math.ceil(units * MINUTE_NS / per_minute)
end

-- When all that was taken of a limit is paid for.
local function paid_ns(place)
  local paid = redis.call('HGET', limit, 'paid:' .. place)
  if paid then
    return tonumber(paid)
  end
  local paused_ns = number('paused_ns')
  return math.max(0, paused_ns) + depth_ns
end

local function set_paid(place, ns)
  redis.call('HSET', limit, 'paid:' .. place, whole(math.max(0, ns)))
end

local function take(place, per_minute, units)
  set_paid(place, math.max(paid_ns(place), now_ns) + cost_ns(per_minute, units))
end

-- So much of each dimension.
local function need(requests, input_tokens, output_tokens)
  requests, input_tokens, output_tokens = tonumber(requests), tonumber(input_tokens), tonumber(output_tokens)
  return { requests, input_tokens + output_tokens, input_tokens, output_tokens }
end

-- A tenant's or a job's place among its like: what it was given, until when it waits for more; then the time of its jobs, or its weight.
local function party(field)
  local virtual, hungry, more = string.match(redis.call('HGET', turns, field) or '0 0 0', '^(%d+) (%d+) (%d+)$')
  return { virtual = tonumber(virtual), hungry = tonumber(hungry), more = tonumber(more) }
end

local function set_party(field, its)
  redis.call('HSET', turns, field, string.format('%.0f %.0f %.0f', its.virtual, its.hungry, its.more))
end

local function refund(tenant, job, ns)
  local tenant_field, job_field = 't ' .. tenant, 'j ' .. tenant .. ' ' .. job
  if redis.call('HEXISTS', turns, job_field) == 0 then
    return
  end
  local of_tenant, of_job = party(tenant_field), party(job_field)
  of_tenant.virtual = math.max(0, of_tenant.virtual - ns)
  of_job.virtual = math.max(0, of_job.virtual - math.floor(ns / of_job.more))
  set_party(tenant_field, of_tenant)
  set_party(job_field, of_job)
end
