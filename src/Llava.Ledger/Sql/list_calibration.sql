-- Closed counts of a model's newest jobs.
select final_progress
from jobs
where state in ('completed', 'cancelled', 'expired') and model = @model and final_progress is not null
order by id desc
limit @limit;
