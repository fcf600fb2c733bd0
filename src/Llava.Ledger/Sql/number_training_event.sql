update training_runs set events = events + 1 where id = @id returning events;
