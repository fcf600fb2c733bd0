-- No commit waits for the disk here: what a server that loses power forgets is sent twice.
-- A claim that was faster notes the same. The fence leaves out a chunk that was claimed and given back meanwhile. The lateral
-- looks each up by its key: a join reads every chunk of the ledger that waits.
with sent as (
    select picked.job_id, picked.chunk_no
    from unnest(@jobs, @chunks, @fences) as picked (job_id, chunk_no, fence)
    cross join lateral (
        select 1
        from chunks c
        where c.job_id = picked.job_id and c.chunk_no = picked.chunk_no and c.fence = picked.fence
          and c.state = 'open' and c.published_at is null
        for update skip locked
    ) as locked
)
update chunks c
set published_at = @now
from sent
where c.job_id = sent.job_id and c.chunk_no = sent.chunk_no
returning set_config('synchronous_commit', 'off', true);
