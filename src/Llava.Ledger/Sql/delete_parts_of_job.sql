delete from parts
where job_id = @job;
