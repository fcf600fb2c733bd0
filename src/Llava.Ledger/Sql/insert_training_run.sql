insert into training_runs (id, tenant, state, priority, request, previous_id, model, step, created_at, fence, losses, events)
values (@id, @tenant, @state, @priority, @request, @previous, @model, 0, @now, 0, 0, 0)
on conflict (id) do nothing;
