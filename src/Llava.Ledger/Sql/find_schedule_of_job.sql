select schedule_id, only_new
from schedule_jobs
where job_id = @job;
