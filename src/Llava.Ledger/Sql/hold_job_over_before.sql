-- Asked again when the job is about to be deleted: it may have been opened again since it was listed.
update jobs
set state = state
where id = @job and finished_at < @before and announced_at is not null;
