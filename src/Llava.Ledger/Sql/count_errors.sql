select error_code, count(*), min(item_no)
from results
where job_id = @job and error_code is not null
group by error_code
order by count(*) desc, error_code;
