select id
from jobs
where finished_at < @before and announced_at is not null
order by id;
