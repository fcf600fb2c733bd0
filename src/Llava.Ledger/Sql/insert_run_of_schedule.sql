insert into schedule_runs (run_id, schedule_id, training_file)
values (@run, @schedule, @file);
