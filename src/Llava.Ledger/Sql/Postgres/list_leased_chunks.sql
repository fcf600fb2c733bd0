-- Held until the commit, in the order that all writers share.
select job_id, chunk_no, first_item, item_count, attempts, tokens, owner, error, fence, claimed_at, lease_until, model
from chunks
where job_id = @job and state <> 'done' and state = 'leased'
order by chunk_no
for update;
