select r.outcome, r.error_code, r.prompt_tokens, r.cached_tokens, r.completion_tokens, r.worker,
       r.claimed_at, r.finished_at, r.prepare_ms, r.queue_ms, r.prefill_ms, r.decode_ms, i.images
from chunks c
join results r on r.job_id = c.job_id and r.item_no >= c.first_item and r.item_no < c.first_item + c.item_count
join items i on i.job_id = r.job_id and i.item_no = r.item_no
where c.job_id = @job and c.chunk_no >= @chunk
order by r.item_no;
