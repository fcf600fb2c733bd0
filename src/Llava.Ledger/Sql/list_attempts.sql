select chunk_no, fence, ending, attempt, first_item, item_count, worker, started_at, ended_at, error
from attempts
where job_id = @job and (cast(@item as integer) is null or (first_item <= @item and first_item + item_count > @item))
order by ended_at, chunk_no, fence, started_at;
