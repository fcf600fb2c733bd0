select id, tenant, job_id, input_file_id, endpoint, completion_window, metadata, output_lifetime, created_at, cancelling_at, findings, output_file_id, error_file_id, published_at
from batches
where id = @id and (cast(@tenant as text) is null or tenant = @tenant);
