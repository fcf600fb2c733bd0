delete from batches
where job_id = @job;
