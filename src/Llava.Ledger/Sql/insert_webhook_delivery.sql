insert into webhook_deliveries (id, webhook_id, event_id, type, payload, state, attempts, created_at, next_at, give_up_at)
values (@id, @webhook, @event, @type, @payload, 'pending', 0, @now, @now, @until)
on conflict do nothing;
