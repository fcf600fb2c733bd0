select coalesce(max(part_no), 0)
from parts
where job_id = @job;
