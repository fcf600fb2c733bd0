select id, state, request, item_count, source_position, created_at, expanded_at, started_at, finished_at, expires_at, error_code, error_message, final_progress, trace_parent, open, sample_chunk, sample_result
from jobs
where state in ('validating', 'queued', 'running') and expanded_at is null
order by priority desc, id;
