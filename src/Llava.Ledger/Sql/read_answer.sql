select text
from results
where job_id = @job and item_no = @item;
