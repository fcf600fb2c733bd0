select distinct category
from items
where job_id = @job and category is not null
order by category
limit @limit;
