-- Cross joins keep their order: SQLite would rather go through all that the schedule knows for each key that is asked.
select k.key
from schedule_jobs s
cross join json_each(@keys) asked
cross join schedule_items k on k.schedule_id = s.schedule_id and k.key = asked.value
left join jobs j on j.id = k.job_id
left join results r on r.job_id = k.job_id and r.item_no = k.item_no
where s.job_id = @job
  and (k.job_id is null or (k.job_id <> @job and (r.outcome = 'succeeded' or (r.outcome is null and j.state is not null and j.finished_at is null))));
