-- What every script on a tenant's money begins with.
-- KEYS[1] is the tag of all its keys, which are made here. ARGV[1] seconds that keys outlive their last change, ARGV[2]
-- milliseconds added to the server's time, ARGV[3] milliseconds of a lease. The arguments of a script begin at ARGV[4].
-- The keys of one world die together: with a wipe, or when the server is another process than the one that wrote them, for it may
-- have come back without its last second. Nothing of them is believed then.
-- Amounts are whole nano-dollars below 2^53, which numbers here hold exactly; they never pass through `..`.

local tag, keep_s, lease_ms = KEYS[1], ARGV[1], tonumber(ARGV[3])
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000) + tonumber(ARGV[2])

local function whole(number)
  return string.format('%.0f', number)
end

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not run_id then
  return redis.error_reply('REFUSED the server hides its run_id from INFO, without which a lost second cannot be noticed')
end
local run, world, last = unpack(redis.call('HMGET', tag .. ':world', 'run', 'world', 'last'))
if run ~= run_id then
  for _, name in ipairs({ 'books', 'holds', 'ids', 'leases', 'ended' }) do
    redis.call('UNLINK', tag .. ':' .. (world or '') .. ':' .. name)
  end
  world = whole(math.max(tonumber(last or '0') + 1, now_us))
  last = world
  redis.call('HSET', tag .. ':world', 'run', run_id, 'world', world, 'last', last)
end

local base = tag .. ':' .. world .. ':'
local books, holds, ids, leases, ended = base .. 'books', base .. 'holds', base .. 'ids', base .. 'leases', base .. 'ended'

local function next_ticket()
  last = whole(tonumber(last) + 1)
  return last
end

local function lease_key(lease)
  return base .. 'lease:' .. lease
end

-- The figures of a budget; false if it is not known.
local accounts = {}
local function account(scope)
  if accounts[scope] == nil then
    local text = redis.call('HGET', books, scope)
    local figures = false
    if text then
      local cap, spent, held, open, alarms, given, epoch, opens_ms =
        string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
      figures = {
        cap = tonumber(cap),
        spent = tonumber(spent),
        held = tonumber(held),
        open = tonumber(open),
        alarms = tonumber(alarms),
        given = tonumber(given),
        epoch = tonumber(epoch),
        opens_ms = tonumber(opens_ms),
      }
    end
    accounts[scope] = figures
  end
  return accounts[scope]
end

-- Calls `act` for each budget of a list that is known.
local function each(scopes, act)
  for scope in string.gmatch(scopes, '%S+') do
    local figures = account(scope)
    if figures then
      act(figures)
    end
  end
end

local function knows(scopes)
  for scope in string.gmatch(scopes, '%S+') do
    if not account(scope) then
      return false
    end
  end
  return true
end

-- Writes down what was changed. Every script that may change money ends with it.
local function write()
  for scope, figures in pairs(accounts) do
    if figures then
      local text = string.format(
        '%.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f',
        figures.cap,
        figures.spent,
        figures.held,
        figures.open,
        figures.alarms,
        figures.given,
        figures.epoch,
        figures.opens_ms
      )
      redis.call('HSET', books, scope, text)
    end
  end
  redis.call('HSET', tag .. ':world', 'last', last)
  for _, key in ipairs({ tag .. ':world', books, holds, ids, leases, ended }) do
    redis.call('EXPIRE', key, keep_s)
  end
end

local function live(lease)
  redis.call('ZADD', leases, whole(now_ms + lease_ms), lease)
end

local function spend(figures, actual, held)
  figures.spent = figures.spent + actual
  if actual > held then
    figures.alarms = figures.alarms + 1
  end
end

-- Takes a hold, whatever room there is. `id` and `request` are `-` for an allowance.
local function take(ticket, hold)
  each(hold.scopes, function(figures)
    figures.held = figures.held + hold.amount
    figures.open = figures.open + 1
  end)
  local parts = { hold.id, hold.request, hold.lease, whole(hold.amount), hold.scopes }
  redis.call('HSET', holds, ticket, table.concat(parts, ' '))
  if hold.id ~= '-' then
    redis.call('HSETNX', ids, hold.id, ticket)
  end
  redis.call('SADD', lease_key(hold.lease), ticket)
  redis.call('EXPIRE', lease_key(hold.lease), keep_s)
end

local function hold_of(ticket)
  local text = redis.call('HGET', holds, ticket)
  if not text then
    return nil
  end
  local id, request, lease, amount, scopes = string.match(text, '^(%S+) (%S+) (%S+) (%d+) ?(.*)$')
  return { id = id, request = request, lease = lease, amount = tonumber(amount), scopes = scopes }
end

-- Takes a hold out of the books; it and the leases that waited for its answer, or nothing.
local function release(ticket)
  local hold = hold_of(ticket)
  if not hold then
    return nil
  end
  each(hold.scopes, function(figures)
    figures.held = math.max(0, figures.held - hold.amount)
    figures.open = figures.open - 1
  end)
  redis.call('HDEL', holds, ticket)
  redis.call('SREM', lease_key(hold.lease), ticket)
  local sought = hold.id ~= '-' and redis.call('HGET', ids, hold.id)
  local its_ticket, waiting = string.match(sought or '', '^(%d+) ?(.*)$')
  if its_ticket ~= ticket then
    return hold, ''
  end
  redis.call('HDEL', ids, hold.id)
  return hold, waiting
end

-- Counts what is open of a lease as spent.
local function close(lease)
  for _, ticket in ipairs(redis.call('SMEMBERS', lease_key(lease))) do
    local hold = release(ticket)
    if hold then
      each(hold.scopes, function(figures)
        spend(figures, hold.amount, hold.amount)
      end)
      redis.call('HSET', ended, ticket, whole(hold.amount) .. ' ' .. hold.scopes)
    end
  end
  redis.call('UNLINK', lease_key(lease))
  redis.call('ZREM', leases, lease)
end

local over = redis.call('ZRANGEBYSCORE', leases, '-inf', whole(now_ms))
for _, lease in ipairs(over) do
  close(lease)
end
if #over > 0 then
  write()
end
