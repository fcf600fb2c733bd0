-- Chunks that another process is marking at this moment are left to it. The lateral looks each up by its key.
with waiting as (
    select picked.job_id, picked.chunk_no, picked.place
    from unnest(@jobs, @chunks, @attempts) with ordinality as picked (job_id, chunk_no, attempts, place)
    cross join lateral (
        select 1
        from chunks c
        where c.job_id = picked.job_id and c.chunk_no = picked.chunk_no and c.attempts = picked.attempts
          and c.state = 'open' and c.published_at is null
        for update skip locked
    ) as locked
)
update chunks c
set published_at = @now
from waiting
where c.job_id = waiting.job_id and c.chunk_no = waiting.chunk_no
returning waiting.place::integer;
