-- The claims that a former run of the same write made: nobody else has this owner and, to the millisecond, this end.
select wanted.place::integer, c.first_item, c.item_count, c.attempts, c.fence, c.published_at, c.claimed_at, (select state from jobs j where j.id = c.job_id), c.model
from unnest(@jobs, @chunks, @attempts, @owners) with ordinality as wanted (job_id, chunk_no, attempts, owner, place)
join chunks c on c.job_id = wanted.job_id and c.chunk_no = wanted.chunk_no and c.attempts = wanted.attempts + 1 and c.owner = wanted.owner
where c.state = 'leased' and c.lease_until = @until;
