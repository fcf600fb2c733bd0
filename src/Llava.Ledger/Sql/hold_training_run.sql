update training_runs set fence = fence where id = @id;
