update batches
set cancelling_at = coalesce(cancelling_at, @now)
where id = @id;
