select c.step, c.created_at, m.loss, m.accuracy, m.valid_loss, m.valid_accuracy
from training_checkpoints c
join training_metrics m on m.run_id = c.run_id and m.step = c.step
where c.run_id = @id and c.step < @before
order by c.step desc
limit @limit;
