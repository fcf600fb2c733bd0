select chunk_no, attempts, fence, item_count, tokens
from chunks
where job_id = @job and state <> 'done' and published_at is null and state = 'open'
order by chunk_no
limit @limit;
