-- Jobs whose next step needs no more work: everything done, nothing held while cancelling, or no time left.
select j.id, j.state,
       not exists (select 1 from chunks c where c.job_id = j.id and c.state <> 'done') as is_done
from jobs j
where (j.state in ('queued', 'running') and not exists (
        select 1 from chunks c where c.job_id = j.id and c.state <> 'done'))
   or (j.state = 'cancelling' and not exists (
        select 1 from chunks c where c.job_id = j.id and c.state <> 'done' and c.state = 'leased'))
   or (j.state in ('validating', 'queued', 'running', 'paused') and j.expires_at <= @now);
