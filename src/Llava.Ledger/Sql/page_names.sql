select item_no, custom_id
from items
where job_id = @job and item_no > @after and item_no < @end
order by item_no
limit @limit;
