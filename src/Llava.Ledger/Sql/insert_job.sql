insert into jobs (id, tenant, state, priority, model, request, idempotency_key, item_count, created_at, expires_at, trace_parent, open)
values (@job, @tenant, 'validating', @priority, @model, @request, @key, 0, @now, @expires, @trace, @open)
on conflict do nothing;
