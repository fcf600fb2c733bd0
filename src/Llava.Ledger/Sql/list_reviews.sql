select review_no, verdict, text, original, reviewer, created_at
from reviews
where job_id = @job and item_no = @item
order by review_no;
