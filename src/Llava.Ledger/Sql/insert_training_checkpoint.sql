insert into training_checkpoints (run_id, step, created_at)
values (@id, @step, @now)
on conflict (run_id, step) do nothing;
