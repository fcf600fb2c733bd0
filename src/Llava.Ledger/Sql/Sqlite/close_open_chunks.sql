update chunks
set state = 'done'
where job_id = @job and state = 'open' and state <> 'done';
