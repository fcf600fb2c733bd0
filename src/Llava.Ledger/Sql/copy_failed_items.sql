-- Not those that were refused when the source was read: no worker can ever do them.
insert into items (job_id, item_no, custom_id, images, prompt, category)
select cast(@made as bigint), cast(row_number() over (order by i.item_no) - 1 as int), i.custom_id, i.images, case when @replaces then null else i.prompt end, i.category
from results r
join items i on i.job_id = r.job_id and i.item_no = r.item_no
where r.job_id = @job and r.outcome <> 'succeeded' and (r.outcome <> 'failed' or r.attempts > 0)
  and (cast(@code as text) is null or r.error_code = @code);
