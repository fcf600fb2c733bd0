update jobs
set finished_at = null, announced_at = null, final_progress = null, expires_at = @expires
where id = @job;
