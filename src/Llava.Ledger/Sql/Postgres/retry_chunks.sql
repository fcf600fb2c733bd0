-- Locked in the order that all writers share. Whoever holds one has lost it: without owner no lease holds.
with picked as (
    select chunk_no
    from chunks
    where job_id = @job and chunk_no in (select cast(value as integer) from json_array_elements_text(cast(@chunks as json)))
    order by chunk_no
    for update
)
update chunks c
set state = 'open', attempts = 0, owner = null, lease_until = null, published_at = null, error = null
from picked
where c.job_id = @job and c.chunk_no = picked.chunk_no;
