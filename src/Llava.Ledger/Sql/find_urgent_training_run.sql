select waiting.id
from training_runs mine
join training_runs waiting on waiting.state = 'queued' and waiting.owner is null and waiting.priority > mine.priority
where mine.id = @id and mine.state = 'running'
  and not exists (
    select 1
    from training_runs other
    where other.state = 'running'
      and (other.priority < mine.priority or (other.priority = mine.priority and other.id > mine.id)))
order by waiting.priority desc, waiting.id
limit 1;
