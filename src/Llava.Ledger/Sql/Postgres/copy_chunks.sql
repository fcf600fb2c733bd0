copy chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, model, fence)
from stdin (format binary);
