select count(*), coalesce(sum(case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and (lr.text = rr.text or lower(trim(lr.text)) = lower(trim(rr.text))) then 1 else 0 end), 0)
from items li
join results lr on lr.job_id = li.job_id and lr.item_no = li.item_no
join items ri on ri.job_id = @right and ri.images = li.images and coalesce(ri.prompt, '') = coalesce(li.prompt, '')
join results rr on rr.job_id = ri.job_id and rr.item_no = ri.item_no
where li.job_id = @left;
