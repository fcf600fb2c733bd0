select tenant from training_runs where model = @model;
