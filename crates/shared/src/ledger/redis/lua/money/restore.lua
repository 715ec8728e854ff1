-- ARGV: budget, epoch, cap, spent, milliseconds that it stays closed. A budget that is open stays as it is.
local scope, epoch, cap, spent, closed_ms = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
-- A budget that is open at once is so whatever becomes of the clock.
local opens_ms = closed_ms == '0' and 0 or now_ms + closed_ms
local figures = account(scope)
if not figures then
  accounts[scope] =
    { cap = cap, spent = spent, held = 0, open = 0, alarms = 0, given = spent, epoch = epoch, opens_ms = opens_ms }
elseif now_ms < figures.opens_ms and epoch > figures.epoch then
  figures.spent = math.max(0, figures.spent - figures.given) + spent
  figures.cap, figures.given, figures.epoch, figures.opens_ms = cap, spent, epoch, opens_ms
end
write()
return 1
