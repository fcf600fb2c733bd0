select chunk_no + 1
from chunks
where job_id = @job
order by chunk_no desc
limit 1;
