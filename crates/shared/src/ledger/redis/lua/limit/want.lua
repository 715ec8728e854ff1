-- ARGV: nanoseconds that slices are given out ahead, calls of a slice, milliseconds after which who is silent shares no more,
-- milliseconds of slots, of a turn, nanoseconds of a lead, milliseconds of grace; tenant, job, weight, worker; quota; calls;
-- requests, input and output tokens of each; slots, running.
-- Answers calls, wait and length in nanoseconds, slots.
local ahead_ns, slice_calls, silent_ns = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] * MS_NS
local slots_ns, turn_ns, lead_ns, grace_ns = ARGV[7] * MS_NS, ARGV[8] * MS_NS, tonumber(ARGV[9]), ARGV[10] * MS_NS
local tenant, job, weight, worker = ARGV[11], ARGV[12], math.min(10, math.max(1, tonumber(ARGV[13]))), ARGV[14]
redis.call('HSET', limit, 'quota', ARGV[15])
local calls, each = tonumber(ARGV[16]), need(ARGV[17], ARGV[18], ARGV[19])
local running = tonumber(ARGV[21])
local wanted_slots = math.max(tonumber(ARGV[20]), running)
local tenant_field, job_field = 't ' .. tenant, 'j ' .. tenant .. ' ' .. job

-- Who shares: workers that spoke of late, and with them their jobs and tenants.
local all = redis.call('HGETALL', turns)
local workers_of, is_tenant = { [job_field] = 1 }, { [tenant_field] = true }
local own_worker = 'w ' .. tenant .. ' ' .. job .. ' ' .. worker
for at = 1, #all, 2 do
  local its_tenant, its_job = string.match(all[at], '^w (%S+) (%S+) ')
  if its_tenant and all[at] ~= own_worker then
    if tonumber(all[at + 1]) <= now_ns then
      redis.call('HDEL', turns, all[at])
    else
      local field = 'j ' .. its_tenant .. ' ' .. its_job
      workers_of[field] = (workers_of[field] or 0) + 1
      is_tenant['t ' .. its_tenant] = true
    end
  end
end
local tenants, jobs, weights = {}, {}, weight
for at = 1, #all, 2 do
  local field, kind = all[at], string.sub(all[at], 1, 1)
  if (kind == 'j' and not workers_of[field]) or (kind == 't' and not is_tenant[field]) then
    redis.call('HDEL', turns, field)
  elseif kind == 't' then
    tenants[field] = party(field)
  elseif kind == 'j' and string.sub(field, 1, #tenant + 3) == 'j ' .. tenant .. ' ' then
    jobs[field] = party(field)
    if field ~= job_field then
      weights = weights + jobs[field].more
    end
  end
end
redis.call('HSET', turns, own_worker, whole(now_ns + silent_ns))
local of_tenant = tenants[tenant_field] or { virtual = 0, hungry = 0, more = 0 }
local of_job = jobs[job_field] or { virtual = 0, hungry = 0 }
tenants[tenant_field], jobs[job_field] = of_tenant, of_job
of_job.more = weight
if of_tenant.hungry <= now_ns then
  of_tenant.virtual = math.max(of_tenant.virtual, number('time_ns'))
end
if of_job.hungry <= now_ns then
  of_job.virtual = math.max(of_job.virtual, of_tenant.more)
end
local tenant_count = 0
for _ in pairs(tenants) do
  tenant_count = tenant_count + 1
end

local function part(amount)
  return math.floor(amount * weight / (tenant_count * weights * workers_of[job_field]))
end

local function is_ahead(own, like)
  for _, other in pairs(like) do
    if other.hungry > now_ns and own.virtual > other.virtual + lead_ns then
      return true
    end
  end
  return false
end

local function wait(until_ns)
  of_tenant.hungry = math.max(of_tenant.hungry, until_ns + grace_ns)
  of_job.hungry = math.max(of_job.hungry, until_ns + grace_ns)
end

local function give_slots()
  local most = quota()[5]
  if most == 0 then
    return wanted_slots
  end
  local holder, others = job .. ':' .. worker, 0
  local known = redis.call('HGETALL', held)
  for at = 1, #known, 2 do
    local slots, until_ns = string.match(known[at + 1], '^(%d+) (%d+)$')
    if known[at] == holder or tonumber(until_ns) <= now_ns then
      redis.call('HDEL', held, known[at])
    else
      others = others + tonumber(slots)
    end
  end
  local free = math.max(0, most - others)
  local given = wanted_slots
  if wanted_slots > free then
    given = math.min(free, math.max(1, part(most)))
  end
  given = math.max(given, running)
  if given > 0 then
    redis.call('HSET', held, holder, whole(given) .. ' ' .. whole(now_ns + slots_ns))
  end
  return given
end

-- Calls, wait and length.
local function give(slots)
  if calls == 0 then
    return 0, 0, 0
  end
  if slots == 0 or is_ahead(of_tenant, tenants) or is_ahead(of_job, jobs) then
    wait(now_ns + turn_ns)
    return 0, turn_ns, 0
  end
  local found, most_ns, fits = rates(), part(ahead_ns), slice_calls
  for place, per_minute in pairs(found) do
    fits = math.min(fits, math.floor(math.floor(most_ns * per_minute / MINUTE_NS) / math.max(1, each[place])))
  end
  local given = math.min(math.max(1, fits), calls)
  local start_ns, length_ns = math.max(now_ns, number('paused_ns')), 0
  for place, per_minute in pairs(found) do
    local cost = cost_ns(per_minute, each[place] * given)
    start_ns = math.max(start_ns, paid_ns(place) + math.min(cost, depth_ns) - depth_ns)
    length_ns = math.max(length_ns, cost)
  end
  if start_ns > now_ns + ahead_ns then
    local wait_ns = start_ns - now_ns - ahead_ns
    wait(now_ns + wait_ns)
    return 0, wait_ns, 0
  end
  for place, per_minute in pairs(found) do
    take(place, per_minute, each[place] * given)
  end
  redis.call('HSET', limit, 'time_ns', whole(of_tenant.virtual))
  of_tenant.more = of_job.virtual
  of_tenant.virtual = of_tenant.virtual + length_ns
  of_job.virtual = of_job.virtual + math.floor(length_ns / weight)
  if given < calls then
    wait(start_ns + length_ns)
  end
  return given, start_ns - now_ns, length_ns
end

local slots = give_slots()
local given, wait_ns, length_ns = give(slots)
set_party(tenant_field, of_tenant)
set_party(job_field, of_job)
keep()
return { whole(given), whole(wait_ns), whole(length_ns), whole(slots) }
