-- Not those that were refused when the source was read: no worker can ever do them.
select item_no, outcome, error_code
from results
where job_id = @job and outcome <> 'succeeded' and (outcome <> 'failed' or attempts > 0)
order by item_no;
