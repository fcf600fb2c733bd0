update training_runs
set owner = @owner,
    fence = fence + 1,
    lease_until = @until,
    losses = losses + case when owner is null then 0 else 1 end,
    state = case when state = 'queued' then 'running' else state end,
    started_at = case when state = 'queued' then coalesce(started_at, @now) else started_at end
where id = (
    select id
    from training_runs
    where state in ('validating_files', 'queued', 'running')
      and (state = 'validating_files') = @validates
      and (lease_until is null or lease_until < @now)
    order by priority desc, id
    limit 1
    for update skip locked)
returning id;
