select p.model
from promotions p
join training_runs r on r.id = p.run_id and r.state = 'succeeded' and r.model_deleted_at is null
where p.tenant = @tenant and p.name = @name and p.holds
order by p.decided_at desc, p.run_id desc
limit 1;
