select id, name, kind, cron, time_zone, request, only_new, overlap, enabled, created_at, updated_at, settled_until, last_run_at, last_job_id, last_error
from schedules
where tenant = @tenant and name = @name;
