update training_runs
set owner = null,
    lease_until = null,
    estimated_finish = null,
    state = case when state = 'running' then 'paused' else state end
where id = @id and owner = @owner and fence = @fence;
