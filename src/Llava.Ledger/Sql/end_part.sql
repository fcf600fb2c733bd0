update parts
set state = @state, error_code = @code, error_message = @message
where job_id = @job and part_no = @part and state = 'waiting';
