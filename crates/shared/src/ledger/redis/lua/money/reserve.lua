-- ARGV: id, request, lease, amount and budgets parted by spaces, of each hold.
-- Answers of each: `go` ticket, `wait`, `exhausted` budget, `known` amount or `closed`. A request that is repeated gets its hold again.
local function is_open(scopes)
  for scope in string.gmatch(scopes, '%S+') do
    local figures = account(scope)
    if not figures or now_ms < figures.opens_ms then
      return false
    end
  end
  return true
end

-- The answer to who wants what is being bought.
local function sought(hold)
  local text = redis.call('HGET', ids, hold.id)
  if not text then
    return nil
  end
  local ticket, waiting = string.match(text, '^(%d+) ?(.*)$')
  local open = hold_of(ticket)
  if open and open.request == hold.request then
    return 'go ' .. ticket
  end
  if not string.find(' ' .. waiting .. ' ', ' ' .. hold.lease .. ' ', 1, true) then
    redis.call('HSET', ids, hold.id, text .. ' ' .. hold.lease)
  end
  live(hold.lease)
  return 'wait'
end

-- The answer to who waited for what was bought meanwhile, once.
local function bought(hold)
  local key = base .. 'bought:' .. hold.lease .. ':' .. hold.id
  local actual, told = string.match(redis.call('GET', key) or '', '^(%d+) ?(.*)$')
  if not actual then
    return nil
  end
  if told ~= '' and told ~= hold.request then
    redis.call('DEL', key)
    return nil
  end
  redis.call('SET', key, actual .. ' ' .. hold.request, 'KEEPTTL')
  return 'known ' .. actual
end

local function answer(hold)
  if not is_open(hold.scopes) then
    return 'closed'
  end
  local told = sought(hold) or bought(hold)
  if told then
    return told
  end
  local is_full = false
  for scope in string.gmatch(hold.scopes, '%S+') do
    local figures = account(scope)
    if figures.spent + hold.amount > figures.cap then
      return 'exhausted ' .. scope
    end
    is_full = is_full or figures.spent + figures.held + hold.amount > figures.cap
  end
  if is_full then
    return 'wait'
  end
  local ticket = next_ticket()
  take(ticket, hold)
  live(hold.lease)
  return 'go ' .. ticket
end

local answers = {}
for at = 4, #ARGV, 5 do
  local hold = {
    id = ARGV[at],
    request = ARGV[at + 1],
    lease = ARGV[at + 2],
    amount = tonumber(ARGV[at + 3]),
    scopes = ARGV[at + 4],
  }
  answers[#answers + 1] = answer(hold)
end
write()
return answers
