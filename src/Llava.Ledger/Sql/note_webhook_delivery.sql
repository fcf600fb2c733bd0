update webhook_deliveries
set state = @state, next_at = @next, tried_at = @now, status = @status, error = @error
where id = @id;
