insert into schedule_items (schedule_id, key, job_id, item_no)
values (?, ?, ?, ?)
on conflict (schedule_id, key) do update
set job_id = excluded.job_id, item_no = excluded.item_no;
