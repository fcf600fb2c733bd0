-- In order, so that two that insert the same keys wait for each other in one direction only.
insert into result_cache (key, scope_job_id, job_id, item_no, text, finish_reason, confidence, created_at, used_at)
select made.key, made.scope_job_id, made.job_id, made.item_no, made.text, made.finish_reason, made.confidence, @now, @now
from json_to_recordset(cast(@rows as json)) as made (
    key text, scope_job_id bigint, job_id bigint, item_no integer, text text, finish_reason text, confidence double precision)
order by made.key
on conflict (key) do nothing;
