update training_runs
set lease_until = @until
where id = @id and owner = @owner and fence = @fence
returning state;
