-- Not those that were refused when the source was read: no worker can ever do them.
select r.item_no, r.outcome, r.error_code, i.model
from results r
join items i on i.job_id = r.job_id and i.item_no = r.item_no
where r.job_id = @job and r.outcome <> 'succeeded' and (r.outcome <> 'failed' or r.attempts > 0)
order by r.item_no;
