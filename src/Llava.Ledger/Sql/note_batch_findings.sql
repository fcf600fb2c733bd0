update batches
set findings = @findings
where job_id = @job;
