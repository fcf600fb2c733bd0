select step, loss, accuracy, learning_rate, gradient_norm, tokens, tokens_per_second, valid_loss, valid_accuracy, created_at, waited
from training_metrics
where run_id = @id
order by step;
