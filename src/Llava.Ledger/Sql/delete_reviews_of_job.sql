delete from reviews
where job_id = @job;
