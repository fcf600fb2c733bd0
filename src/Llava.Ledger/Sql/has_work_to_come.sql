-- Whether anything of the job is still to be done, still to be read, or may still be asked for.
select j.open <> false
       or j.expanded_at is null
       or exists (select 1 from chunks c where c.job_id = j.id and c.state <> 'done')
       or exists (select 1 from parts p where p.job_id = j.id and p.state = 'waiting')
from jobs j
where j.id = @job;
