-- KEYS[1] the leadership. ARGV: milliseconds added to the server's time, holder, milliseconds it is held for.
-- Answers the epoch, or nothing while another leads. An epoch is above every earlier one, even of a ledger that was wiped.
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000) + ARGV[1]
local holder, epoch, until_ms = unpack(redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'until_ms'))
local is_held = until_ms and tonumber(until_ms) > now_ms
if is_held and holder ~= ARGV[2] then
  return false
end
if not is_held then
  epoch = string.format('%.0f', math.max(tonumber(epoch or '0') + 1, now_us))
end
local until_text = string.format('%.0f', now_ms + ARGV[3])
redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'epoch', epoch, 'until_ms', until_text)
return epoch
