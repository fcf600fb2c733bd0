update batches
set published_at = null
where job_id = @job;
