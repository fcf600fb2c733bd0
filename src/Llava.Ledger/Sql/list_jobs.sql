select id, state, request, item_count, source_position, created_at, expanded_at, started_at, finished_at, expires_at, error_code, error_message, final_progress, trace_parent, open, sample_chunk, sample_result
from jobs
where (cast(@tenant as text) is null or tenant = @tenant)
  and (cast(@state as text) is null or state = @state)
  and (cast(@model as text) is null or model = @model)
  and (cast(@text as text) is null or lower(request) like lower(@text) escape '\' or id = cast(@id as bigint))
  and id < @before
order by id desc
limit @limit;
