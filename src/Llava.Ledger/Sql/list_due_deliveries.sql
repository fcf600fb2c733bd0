select id, webhook_id, event_id, type, payload, state, attempts, created_at, next_at, give_up_at, tried_at, status, error
from webhook_deliveries
where state = 'pending' and next_at <= @now
order by next_at
limit @limit;
