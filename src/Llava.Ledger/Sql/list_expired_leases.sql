select job_id, chunk_no, first_item, item_count, attempts, tokens, owner, error, fence, claimed_at, lease_until, model
from chunks
where state <> 'done' and published_at is not null and state = 'leased' and lease_until < @now;
