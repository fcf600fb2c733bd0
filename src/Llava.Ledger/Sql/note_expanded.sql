update jobs
set expanded_at = @now
where id = @job;
