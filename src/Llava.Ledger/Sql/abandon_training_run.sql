update training_runs
set lease_until = 0
where id = @id and owner = @owner and fence = @fence;
