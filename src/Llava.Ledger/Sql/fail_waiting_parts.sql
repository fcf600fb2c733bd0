update parts
set state = 'failed', error_code = @code, error_message = @message
where job_id = @job and state = 'waiting';
