-- Jobs whose next step needs no more work: closed, read and everything done, nothing held while cancelling, or no time left.
select j.id, j.state,
       j.open = false and j.expanded_at is not null
       and not exists (select 1 from chunks c where c.job_id = j.id and c.state <> 'done')
       and not exists (select 1 from parts p where p.job_id = j.id and p.state = 'waiting') as is_done
from jobs j
where (j.state in ('queued', 'running') and j.open = false and j.expanded_at is not null
       and not exists (select 1 from chunks c where c.job_id = j.id and c.state <> 'done')
       and not exists (select 1 from parts p where p.job_id = j.id and p.state = 'waiting'))
   or (j.state = 'cancelling' and not exists (
        select 1 from chunks c where c.job_id = j.id and c.state <> 'done' and c.state = 'leased'))
   or (j.state in ('validating', 'queued', 'running', 'paused') and j.expires_at <= @now);
