delete from results
where job_id = @job;
