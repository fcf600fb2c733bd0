delete from result_cache
where scope_job_id is not null
  and not exists (select 1 from jobs j where j.id = result_cache.scope_job_id and j.finished_at is null);
