-- Only the end that was counted: a job that was opened again since has another one before it.
update jobs
set announced_at = @now, final_progress = @progress
where id = @job and announced_at is null and state = @state and coalesce(finished_at, 0) = @finished;
