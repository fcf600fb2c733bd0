-- The claim that a former run of the same write made: nobody else has this owner and, to the millisecond, this end.
select first_item, item_count, attempts, fence, published_at, (select state from jobs where id = @job)
from chunks
where job_id = @job and chunk_no = @chunk and state = 'leased' and attempts = @attempt + 1 and owner = @owner and lease_until = @until;
