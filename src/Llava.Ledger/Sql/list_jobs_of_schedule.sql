select job_id
from schedule_jobs
where schedule_id = @id
order by job_id desc
limit @limit;
