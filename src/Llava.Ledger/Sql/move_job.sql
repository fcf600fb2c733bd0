update jobs
set state = @to,
    started_at = case when @to = 'running' then coalesce(started_at, @now) else started_at end,
    finished_at = case when @over then @now else finished_at end,
    error_code = coalesce(@code, error_code),
    error_message = coalesce(@message, error_message)
where id = @job and state = @from;
