update chunks
set state = 'open', attempts = 0, owner = null, lease_until = null, published_at = null, error = null
where job_id = @job and chunk_no in (select value from json_each(@chunks));
