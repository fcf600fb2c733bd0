-- Held until the commit. One that is being claimed at this moment has another chance.
select job_id, chunk_no, first_item, item_count, attempts, tokens, owner, error, fence, claimed_at, lease_until, model
from chunks
where state <> 'done' and state = 'open' and attempts >= @max
for update skip locked;
