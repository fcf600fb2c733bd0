update chunks
set lease_until = @until
where job_id = @job and chunk_no = @chunk and owner = @owner and fence = @fence and state = 'leased'
returning (select state from jobs where id = @job);
