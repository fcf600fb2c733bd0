update training_runs
set model_deleted_at = @now
where model = @model and state = 'succeeded' and model_deleted_at is null
  and (cast(@tenant as text) is null or tenant = @tenant)
returning id, tenant;
