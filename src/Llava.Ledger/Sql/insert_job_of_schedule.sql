insert into schedule_jobs (job_id, schedule_id, only_new)
values (@job, @schedule, @only_new)
on conflict do nothing;
