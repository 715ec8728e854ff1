-- Answers of each stage: name, done, shards, failed, rows, bytes, and rows and bytes of each running attempt.
if redis.call('EXISTS', job) == 0 then
  return unknown(job_id)
end
local shown = {}
for at, name in ipairs(stages()) do
  local stage = keys_of(name)
  local done, shards, rows, bytes = unpack(redis.call('HMGET', stage.meta, 'done', 'shards', 'rows', 'bytes'))
  local running = {}
  for _, text in ipairs(redis.call('HVALS', stage.held)) do
    local its_rows, its_bytes = string.match(text, '^%d+ %d (%d+) (%d+) ')
    running[#running + 1] = its_rows
    running[#running + 1] = its_bytes
  end
  shown[at] = { name, done, shards, redis.call('HLEN', stage.failed), rows, bytes, running }
end
return shown
