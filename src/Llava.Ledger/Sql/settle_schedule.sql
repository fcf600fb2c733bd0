update schedules
set settled_until = @until, last_run_at = @now, last_job_id = coalesce(@job, last_job_id), last_error = @error
where id = @id;
