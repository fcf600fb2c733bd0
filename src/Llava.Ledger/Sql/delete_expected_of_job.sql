delete from expected_answers
where job_id = @job;
