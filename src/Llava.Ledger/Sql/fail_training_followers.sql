update training_runs
set state = 'failed',
    finished_at = @now,
    error_code = @code,
    error_message = @message,
    error_param = @param
where previous_id = @id and state in ('waiting', 'paused')
returning id, tenant;
