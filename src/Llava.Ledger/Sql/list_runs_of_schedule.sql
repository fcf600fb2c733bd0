select run_id, training_file
from schedule_runs
where schedule_id = @id
order by run_id desc
limit @limit;
