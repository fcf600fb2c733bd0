delete from training_checkpoints
where run_id = @id and step not in (select step from training_checkpoints where run_id = @id order by step desc limit @keep);
