select b.id, b.tenant, b.job_id, b.input_file_id, b.endpoint, b.completion_window, b.metadata, b.output_lifetime, b.created_at, b.cancelling_at, b.findings, b.output_file_id, b.error_file_id, b.published_at
from batches b
join jobs j on j.id = b.job_id
where b.published_at is null and j.announced_at is not null
order by j.finished_at
limit 100;
