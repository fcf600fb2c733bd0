select key, job_id, item_no, text, finish_reason, confidence, used_at
from result_cache
where key in (select json_array_elements_text(cast(@keys as json)));
