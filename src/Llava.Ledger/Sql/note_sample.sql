update jobs
set sample_chunk = @chunk
where id = @job;
