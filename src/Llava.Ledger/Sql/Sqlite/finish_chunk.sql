update chunks
set state = 'done', lease_until = null, error = null
where job_id = @job and chunk_no = @chunk and owner = @owner and fence = @fence and state in ('leased', 'done');
