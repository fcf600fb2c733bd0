-- A claim that was faster notes the same. The fence leaves out a chunk that was claimed and given back meanwhile.
with sent as (
    select c.job_id, c.chunk_no
    from unnest(@jobs, @chunks, @fences) as picked (job_id, chunk_no, fence)
    join chunks c on c.job_id = picked.job_id and c.chunk_no = picked.chunk_no and c.fence = picked.fence
    where c.state = 'open' and c.published_at is null
    for update of c skip locked
)
update chunks c
set published_at = @now
from sent
where c.job_id = sent.job_id and c.chunk_no = sent.chunk_no;
