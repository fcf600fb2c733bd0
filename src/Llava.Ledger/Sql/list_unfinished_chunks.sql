select chunk_no, first_item, item_count, tokens
from chunks
where job_id = @job and state <> 'done'
order by first_item;
