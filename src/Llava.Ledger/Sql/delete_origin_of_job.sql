delete from schedule_jobs
where job_id = @job;
