select item_no, custom_id, images, prompt, left_outcome, left_text, left_confidence, left_code, right_no, right_outcome, right_text, right_confidence, right_code, agree, 1
from (
    select li.item_no, li.custom_id, li.images, li.prompt, lr.outcome as left_outcome, lr.text as left_text, lr.confidence as left_confidence, lr.error_code as left_code,
           ri.item_no as right_no, rr.outcome as right_outcome, rr.text as right_text, rr.confidence as right_confidence, rr.error_code as right_code,
           case when lr.outcome = 'succeeded' and rr.outcome = 'succeeded' and (lr.text = rr.text or lower(trim(lr.text)) = lower(trim(rr.text))) then 1 else 0 end as agree
    from items li
    join results lr on lr.job_id = li.job_id and lr.item_no = li.item_no
    join items ri on ri.job_id = @right and ri.images = li.images and coalesce(ri.prompt, '') = coalesce(li.prompt, '')
    join results rr on rr.job_id = ri.job_id and rr.item_no = ri.item_no
    where li.job_id = @left and li.item_no > @after
) pairs
where cast(@agreement as int) is null or agree = @agreement
order by item_no, right_no
limit @limit;
