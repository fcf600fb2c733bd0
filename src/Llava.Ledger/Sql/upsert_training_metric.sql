insert into training_metrics (run_id, step, loss, accuracy, learning_rate, gradient_norm, tokens, tokens_per_second, waited, valid_loss, valid_accuracy, created_at)
values (@id, @step, @loss, @accuracy, @rate, @norm, @tokens, @speed, @waited, @valid_loss, @valid_accuracy, @now)
on conflict (run_id, step) do update
set loss = excluded.loss, accuracy = excluded.accuracy, learning_rate = excluded.learning_rate, gradient_norm = excluded.gradient_norm,
    tokens = excluded.tokens, tokens_per_second = excluded.tokens_per_second, waited = excluded.waited, valid_loss = excluded.valid_loss, valid_accuracy = excluded.valid_accuracy,
    created_at = excluded.created_at;
