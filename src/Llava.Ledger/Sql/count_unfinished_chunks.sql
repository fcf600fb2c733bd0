select count(*)
from chunks
where job_id = @job and state <> 'done';
