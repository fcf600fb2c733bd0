update jobs
set announced_at = @now, final_progress = @progress
where id = @job and announced_at is null;
