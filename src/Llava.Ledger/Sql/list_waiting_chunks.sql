select chunk_no, attempts, fence, item_count, tokens
from chunks
where job_id = @job and state <> 'done' and published_at is null and state = 'open'
  and (cast(@model as text) is null or coalesce(model, (select model from jobs where id = @job)) = @model)
  and chunk_no >= (select case when sample_result is null then coalesce(sample_chunk, 0) else 0 end from jobs where id = @job)
order by chunk_no
limit @limit;
