update training_runs
set step = @step, steps = @steps, estimated_finish = @finish
where id = @id;
