update training_runs
set state = @state,
    finished_at = case when @ends then @now else finished_at end
where id = @id and state = @from;
