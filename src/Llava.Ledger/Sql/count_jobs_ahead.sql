select cast(count(*) as integer)
from jobs
where model = @model and state in ('validating', 'queued', 'running') and id <> @job
  and (priority > @priority or (priority = @priority and id < @job));
