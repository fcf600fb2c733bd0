-- Chunks that another process is marking at this moment are left to it.
with waiting as (
    select c.job_id, c.chunk_no, picked.place
    from unnest(@jobs, @chunks, @attempts) with ordinality as picked (job_id, chunk_no, attempts, place)
    join chunks c on c.job_id = picked.job_id and c.chunk_no = picked.chunk_no
    where c.state = 'open' and c.published_at is null and c.attempts = picked.attempts
    for update of c skip locked
)
update chunks c
set published_at = @now
from waiting
where c.job_id = waiting.job_id and c.chunk_no = waiting.chunk_no
returning waiting.place::integer;
