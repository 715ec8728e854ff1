-- ARGV: budget. Answers cap, spent, held, open holds, alarms and whether it pays; nothing if it is not known.
local figures = account(ARGV[4])
write()
if not figures then
  return false
end
local is_open = now_ms >= figures.opens_ms and 1 or 0
return { whole(figures.cap), whole(figures.spent), whole(figures.held), figures.open, figures.alarms, is_open }
