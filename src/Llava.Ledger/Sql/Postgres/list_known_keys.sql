select k.key
from schedule_jobs s
join schedule_items k on k.schedule_id = s.schedule_id and k.key = any(@keys)
left join jobs j on j.id = k.job_id
left join results r on r.job_id = k.job_id and r.item_no = k.item_no
where s.job_id = @job
  and (k.job_id is null or (k.job_id <> @job and (r.outcome = 'succeeded' or (r.outcome is null and j.state is not null and j.finished_at is null))));
