-- The results first: their keys meet, and most pairs are passed over before an item is read.
select li.item_no, li.custom_id, li.images, li.prompt, lr.outcome, lr.text, lr.confidence, lr.error_code,
       ri.item_no, rr.outcome, rr.text, rr.confidence, rr.error_code,
       case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and lower(trim(lr.text)) = lower(trim(rr.text)) then 1 else 0 end
from results lr
join results rr on rr.job_id = @right and rr.item_no = lr.item_no
join items li on li.job_id = lr.job_id and li.item_no = lr.item_no
join items ri on ri.job_id = rr.job_id and ri.item_no = rr.item_no and ri.images = li.images
where lr.job_id = @left and lr.item_no > @after
  and (cast(@agreement as int) is null or @agreement = case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and lower(trim(lr.text)) = lower(trim(rr.text)) then 1 else 0 end)
order by lr.item_no
limit @limit;
