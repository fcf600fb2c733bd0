select p.run_id, p.tenant, p.name, p.model, p.holds, p.reason, p.decided_at
from promotions p
join training_runs r on r.id = p.run_id
where p.decided_at is null and r.state = 'succeeded' and r.model_deleted_at is null
order by p.run_id;
