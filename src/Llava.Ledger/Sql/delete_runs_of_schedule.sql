delete from schedule_runs
where schedule_id = @id;
