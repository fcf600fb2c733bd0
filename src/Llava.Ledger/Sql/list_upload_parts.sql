select id, bytes, created_at
from upload_parts
where upload_id = @upload;
