delete from chunks
where job_id = @job;
