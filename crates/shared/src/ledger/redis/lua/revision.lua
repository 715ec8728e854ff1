-- Answers how often the job has changed.
return redis.call('HGET', job, 'revision') or unknown(job_id)
