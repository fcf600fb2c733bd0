-- Counted, not filtered: by the images a planner expects one pair in a hundred thousand, and looks each up by itself.
select coalesce(sum(case when ri.images = li.images then 1 else 0 end), 0),
       coalesce(sum(case when ri.images = li.images and lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and (lr.text = rr.text or lower(trim(lr.text)) = lower(trim(rr.text))) then 1 else 0 end), 0)
from results lr
join results rr on rr.job_id = @right and rr.item_no = lr.item_no
join items li on li.job_id = lr.job_id and li.item_no = lr.item_no
join items ri on ri.job_id = rr.job_id and ri.item_no = rr.item_no
where lr.job_id = @left;
