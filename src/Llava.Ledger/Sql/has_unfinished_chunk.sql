select count(*)
from (select 1 from chunks where job_id = @job and state <> 'done' limit 1) as unfinished;
