-- ARGV: milliseconds that who waited may ask what was bought, then id, ticket, actual price, amount held and budgets of each
-- hold. Answers `done` or `closed` of each.
local function settle(settled)
  local is_of_lost_books = tonumber(settled.ticket) < tonumber(world)
  local hold, waiting = release(settled.ticket)
  local text = not hold and redis.call('HGET', ended, settled.ticket)
  if hold then
    each(hold.scopes, function(figures)
      spend(figures, settled.actual, hold.amount)
    end)
    for lease in string.gmatch(waiting, '%S+') do
      redis.call('SET', base .. 'bought:' .. lease .. ':' .. settled.id, whole(settled.actual), 'PX', ARGV[4])
    end
  elseif text then
    redis.call('HDEL', ended, settled.ticket)
    local worst, scopes = string.match(text, '^(%d+) ?(.*)$')
    worst = tonumber(worst)
    if worst then
      each(scopes, function(figures)
        figures.spent = math.max(0, figures.spent - worst)
        spend(figures, settled.actual, worst)
      end)
    end
  elseif is_of_lost_books then
    if not knows(settled.scopes) then
      return 'closed'
    end
    each(settled.scopes, function(figures)
      spend(figures, settled.actual, settled.amount)
    end)
  end
  if is_of_lost_books then
    redis.call('HSET', ended, settled.ticket, 'counted ' .. settled.scopes)
  end
  return 'done'
end

local answers = {}
for at = 5, #ARGV, 5 do
  local settled = {
    id = ARGV[at],
    ticket = ARGV[at + 1],
    actual = tonumber(ARGV[at + 2]),
    amount = tonumber(ARGV[at + 3]),
    scopes = ARGV[at + 4],
  }
  answers[#answers + 1] = settle(settled)
end
write()
return answers
