delete from schedule_jobs
where schedule_id = @id;
