delete from items
where job_id = @job;
