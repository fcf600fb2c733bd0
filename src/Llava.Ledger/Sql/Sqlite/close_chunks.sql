update chunks
set state = 'done', owner = null, lease_until = null
where job_id = @job and state <> 'done';
