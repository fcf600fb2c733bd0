update jobs
set open = false
where id = @job;
