select event_no, level, message, data, created_at
from training_events
where run_id = @id and event_no < @before
order by event_no desc
limit @limit;
