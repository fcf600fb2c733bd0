update training_runs
set state = case when state = 'waiting' then 'validating_files' else state end
where previous_id = @id and state in ('waiting', 'paused')
returning id;
