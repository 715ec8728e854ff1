for _, name in ipairs(stages()) do
  for _, key in pairs(keys_of(name)) do
    redis.call('UNLINK', key)
  end
end
if redis.call('UNLINK', job) == 1 then
  redis.pcall('PUBLISH', channel, job_id .. ' ' .. string.format('%.0f', now_us))
end
return 1
