update training_runs
set fence = fence
where id = @id and owner = @owner and fence = @fence
returning state;
