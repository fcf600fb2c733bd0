copy results (
    job_id, item_no, outcome, text, finish_reason,
    prompt_tokens, completion_tokens, cached_tokens,
    queued_at, claimed_at, prepare_ms, queue_ms, prefill_ms, decode_ms, confidence,
    error_code, error_message, worker, model_revision,
    attempts, finished_at, source_job_id, source_item_no)
from stdin (format binary);
