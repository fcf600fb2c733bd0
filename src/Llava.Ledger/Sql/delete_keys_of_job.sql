delete from schedule_items
where job_id = @job;
