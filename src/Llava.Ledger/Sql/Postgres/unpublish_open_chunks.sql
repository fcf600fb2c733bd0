-- One that is being claimed at this moment needs no second message; not waiting for it also keeps this from any deadlock.
with silent as (
    select job_id, chunk_no
    from chunks
    where state <> 'done' and published_at < @before and state = 'open'
    for update skip locked
)
update chunks c
set published_at = null
from silent
where c.job_id = silent.job_id and c.chunk_no = silent.chunk_no;
