update training_runs
set lease_until = 0
where owner = @owner and lease_until is not null;
