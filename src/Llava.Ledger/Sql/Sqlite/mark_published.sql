update chunks
set published_at = @now
where job_id = @job and chunk_no = @chunk and state = 'open' and attempts = @attempt;
