-- A message that came while the job was held found nothing to do, and one on its way may not be noted any more: all are sent again.
update chunks
set published_at = null, fence = fence + 1
where job_id = @job and state = 'open' and published_at is not null;
