-- One chunk after the other, in the order given, which all writers share: hence the lateral, which also looks each up by its key.
with open as (
    select wanted.job_id, wanted.chunk_no, wanted.owner, wanted.place
    from unnest(@jobs, @chunks, @attempts, @owners) with ordinality as wanted (job_id, chunk_no, attempts, owner, place)
    cross join lateral (
        select 1
        from chunks c
        where c.job_id = wanted.job_id and c.chunk_no = wanted.chunk_no and c.state = 'open' and c.attempts = wanted.attempts
          and exists (select 1 from jobs j where j.id = wanted.job_id and j.state in ('queued', 'running'))
        for update of c
    ) as locked
)
update chunks c
set state = 'leased',
    attempts = c.attempts + 1,
    fence = c.fence + 1,
    owner = open.owner,
    claimed_at = @now,
    lease_until = @until,
    published_at = least(c.published_at, @now)
from open
where c.job_id = open.job_id and c.chunk_no = open.chunk_no
returning open.place::integer, c.first_item, c.item_count, c.attempts, c.fence, c.published_at, c.claimed_at, (select state from jobs j where j.id = c.job_id), c.model;
