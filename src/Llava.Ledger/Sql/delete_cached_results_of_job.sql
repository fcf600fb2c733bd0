delete from result_cache
where scope_job_id = @job;
