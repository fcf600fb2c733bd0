insert into result_cache (key, scope_job_id, job_id, item_no, text, finish_reason, confidence, created_at, used_at)
select value ->> 'key', value ->> 'scope_job_id', value ->> 'job_id', value ->> 'item_no', value ->> 'text', value ->> 'finish_reason', value ->> 'confidence', @now, @now
from json_each(@rows)
where true -- else "on" would be taken for a join's
on conflict (key) do nothing;
