update training_runs
set state = @state,
    finished_at = @now,
    error_code = @code,
    error_message = @message,
    error_param = @param,
    findings = coalesce(cast(@findings as text), findings),
    result_file = @file,
    estimated_finish = null,
    owner = null,
    lease_until = null
where id = @id and owner = @owner and fence = @fence and state in ('validating_files', 'running')
returning tenant;
