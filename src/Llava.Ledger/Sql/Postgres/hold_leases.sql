-- Locks the chunks in an order that all writers share. A chunk that is done by its last owner's lease is held by it still:
-- the commit that said so may be repeated.
with held as (
    select c.job_id, c.chunk_no, used.completes, used.place
    from unnest(@jobs, @chunks, @owners, @fences, @completes) with ordinality as used (job_id, chunk_no, owner, fence, completes, place)
    join chunks c on c.job_id = used.job_id and c.chunk_no = used.chunk_no
    where c.owner = used.owner and c.fence = used.fence and (c.state = 'leased' or (used.completes and c.state = 'done'))
    order by c.job_id, c.chunk_no
    for update of c
), finished as (
    update chunks c
    set state = 'done', lease_until = null, error = null
    from held
    where c.job_id = held.job_id and c.chunk_no = held.chunk_no and held.completes
)
select place::integer
from held;
