select id, tenant, state, request, model, resolved, findings, step, steps, estimated_finish, created_at, started_at, finished_at,
    error_code, error_message, error_param, result_file, model_deleted_at, owner, fence, lease_until, losses,
    (select coalesce(sum(tokens), 0) from training_metrics where run_id = id),
    (select loss from training_metrics where run_id = id and training_metrics.step = training_runs.step)
from training_runs
where previous_id = @id
order by id;
