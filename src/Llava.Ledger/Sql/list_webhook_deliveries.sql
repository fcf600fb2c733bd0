select id, webhook_id, event_id, type, payload, state, attempts, created_at, next_at, give_up_at, tried_at, status, error
from webhook_deliveries
where webhook_id = @webhook
  and (cast(@state as text) is null or state = @state)
  and (cast(@after as text) is null or id < @after)
order by id desc
limit @limit;
