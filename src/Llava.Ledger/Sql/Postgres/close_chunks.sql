-- Held in the order that all writers share: claims and results hold several chunks at once.
with unfinished as (
    select job_id, chunk_no
    from chunks
    where job_id = @job and state <> 'done'
    order by chunk_no
    for update
)
update chunks c
set state = 'done', owner = null, lease_until = null
from unfinished
where c.job_id = unfinished.job_id and c.chunk_no = unfinished.chunk_no;
