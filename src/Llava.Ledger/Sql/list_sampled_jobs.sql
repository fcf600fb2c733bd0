-- Jobs that run and whose sample is done.
select j.id
from jobs j
where j.state in ('queued', 'running') and j.sample_chunk is not null and j.sample_result is null
  and not exists (select 1 from chunks c where c.job_id = j.id and c.chunk_no >= j.sample_chunk and c.state <> 'done');
