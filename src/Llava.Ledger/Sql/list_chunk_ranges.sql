select chunk_no, first_item, item_count
from chunks
where job_id = @job
order by first_item;
