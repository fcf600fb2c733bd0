update schedules
set kind = @kind, cron = @cron, time_zone = @zone, request = @request, only_new = @only_new, overlap = @overlap, updated_at = @now, settled_until = @now
where id = @id;
