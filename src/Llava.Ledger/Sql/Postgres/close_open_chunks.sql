-- Held in the order that all writers share: claims hold several open chunks at once.
with open as (
    select job_id, chunk_no
    from chunks
    where job_id = @job and state = 'open' and state <> 'done'
    order by chunk_no
    for update
)
update chunks c
set state = 'done'
from open
where c.job_id = open.job_id and c.chunk_no = open.chunk_no;
