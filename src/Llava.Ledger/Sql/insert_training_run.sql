insert into training_runs (id, tenant, state, priority, request, model, step, created_at, fence, losses, events)
values (@id, @tenant, 'validating_files', @priority, @request, @model, 0, @now, 0, 0, 0)
on conflict (id) do nothing;
