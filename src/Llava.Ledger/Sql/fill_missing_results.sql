insert into results (job_id, item_no, outcome, prompt_tokens, completion_tokens, cached_tokens, queue_ms, prefill_ms, decode_ms, attempts, finished_at)
select i.job_id, i.item_no, @outcome, 0, 0, 0, 0, 0, 0, 0, @now
from items i
where i.job_id = @job
  and not exists (select 1 from results r where r.job_id = i.job_id and r.item_no = i.item_no);
