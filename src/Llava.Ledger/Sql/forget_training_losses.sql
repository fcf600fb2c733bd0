update training_runs set losses = 0 where id = @id;
