update webhook_deliveries
set state = 'pending', next_at = @now, give_up_at = @until
where id = @id;
