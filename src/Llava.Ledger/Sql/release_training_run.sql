update training_runs
set owner = null,
    lease_until = null,
    state = case when state = 'running' then 'queued' else state end
where id = @id and owner = @owner and fence = @fence;
