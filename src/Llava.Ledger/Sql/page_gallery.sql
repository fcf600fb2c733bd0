select i.item_no, i.custom_id, i.images, i.prompt, i.category,
       r.outcome, r.text, r.finish_reason,
       r.prompt_tokens, r.completion_tokens, r.cached_tokens,
       r.queue_ms, r.prefill_ms, r.decode_ms, r.confidence,
       r.error_code, r.error_message, r.worker, r.model_revision, r.attempts, r.finished_at,
       r.prepare_ms, r.queued_at, r.claimed_at, r.source_job_id, r.source_item_no, i.model,
       v.review_no, v.verdict, v.text, v.original, v.reviewer, v.created_at
from results r
join items i on i.job_id = r.job_id and i.item_no = r.item_no
left join reviews v on v.job_id = r.job_id and v.item_no = r.item_no and v.latest
where r.job_id = @job and r.item_no > @after and i.item_no > @after
  and (cast(@outcome as text) is null or r.outcome = @outcome)
  and (cast(@code as text) is null or r.error_code = @code)
  and (cast(@text as text) is null or lower(r.text) like lower(@text) escape '\' or lower(i.prompt) like lower(@text) escape '\' or lower(i.custom_id) like lower(@text) escape '\')
  and (cast(@verdict as text) is null or coalesce(v.verdict, 'unreviewed') = @verdict)
order by r.item_no
limit @limit;
