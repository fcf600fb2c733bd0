select verdict, count(*)
from reviews
where job_id = @job and latest
group by verdict;
