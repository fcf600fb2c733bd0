-- The results alone first, until there are enough: most pairs are passed over, and a planner that sees the items too visits them for each.
-- Equal letters are looked at before equal words, which cost more.
select li.item_no, li.custom_id, li.images, li.prompt, left_outcome, left_text, left_confidence, left_code,
       ri.item_no, right_outcome, right_text, right_confidence, right_code, agree,
       case when ri.images = li.images then 1 else 0 end
from (
    select lr.item_no, lr.outcome as left_outcome, lr.text as left_text, lr.confidence as left_confidence, lr.error_code as left_code,
           rr.outcome as right_outcome, rr.text as right_text, rr.confidence as right_confidence, rr.error_code as right_code,
           case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and (lr.text = rr.text or lower(trim(lr.text)) = lower(trim(rr.text))) then 1 else 0 end as agree
    from results lr
    join results rr on rr.job_id = @right and rr.item_no = lr.item_no
    where lr.job_id = @left and lr.item_no > @after
      and (cast(@agreement as int) is null
           or @agreement = case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and (lr.text = rr.text or lower(trim(lr.text)) = lower(trim(rr.text))) then 1 else 0 end)
    order by lr.item_no
    limit @limit
) pairs
join items li on li.job_id = @left and li.item_no = pairs.item_no
join items ri on ri.job_id = @right and ri.item_no = pairs.item_no
order by pairs.item_no;
