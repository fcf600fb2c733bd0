-- A chunk that was claimed and given back while its message was being sent has used that message up, and waits for another.
update chunks
set published_at = @now
where job_id = @job and chunk_no = @chunk and state = 'open' and fence = @fence;
