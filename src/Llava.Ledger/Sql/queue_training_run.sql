update training_runs
set state = case when state = 'validating_files' then 'queued' else state end,
    resolved = @resolved,
    findings = @findings,
    steps = @steps,
    owner = null,
    lease_until = null
where id = @id and owner = @owner and fence = @fence;
