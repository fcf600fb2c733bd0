-- The job's results are about to be deleted: what they answered stays known without them.
update schedule_items
set job_id = null
where job_id = @job and exists (
    select 1 from results r where r.job_id = @job and r.item_no = schedule_items.item_no and r.outcome = 'succeeded');
