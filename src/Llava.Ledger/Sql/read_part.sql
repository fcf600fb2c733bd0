select part_no, source, state, position, first_item, item_count, error_code, error_message, created_at
from parts
where job_id = @job and part_no = @part;
