select s.job_id
from schedule_jobs s
join jobs j on j.id = s.job_id
where s.schedule_id = @id and j.expanded_at is null and j.finished_at is null;
