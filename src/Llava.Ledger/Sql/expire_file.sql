update files
set expires_at = @now
where id = @id;
