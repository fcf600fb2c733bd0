update jobs
set sample_result = @result
where id = @job;
