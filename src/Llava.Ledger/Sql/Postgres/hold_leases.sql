-- One chunk after the other, in the order given, which all writers share: hence the lateral, which also looks each up by its key.
-- A chunk that is done by its last owner's lease is held by it still: the commit that said so may be repeated.
with held as (
    select used.job_id, used.chunk_no, used.completes, used.place
    from unnest(@jobs, @chunks, @owners, @fences, @completes) with ordinality as used (job_id, chunk_no, owner, fence, completes, place)
    cross join lateral (
        select 1
        from chunks c
        where c.job_id = used.job_id and c.chunk_no = used.chunk_no and c.owner = used.owner and c.fence = used.fence
          and (c.state = 'leased' or (used.completes and c.state = 'done'))
        for update
    ) as locked
), finished as (
    update chunks c
    set state = 'done', lease_until = null, error = null
    from held
    where c.job_id = held.job_id and c.chunk_no = held.chunk_no and held.completes
)
select place::integer
from held;
