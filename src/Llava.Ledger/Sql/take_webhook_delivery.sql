-- Only as it was seen: another process may have taken it since.
update webhook_deliveries
set next_at = @until, attempts = attempts + 1
where id = @id and state = 'pending' and next_at = @seen;
