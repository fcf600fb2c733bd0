update schedules
set enabled = @enabled, updated_at = @now, settled_until = @now
where id = @id;
