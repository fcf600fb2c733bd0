select run_id, tenant, name, model, holds, reason, decided_at
from promotions
where (cast(@tenant as text) is null or tenant = @tenant)
order by run_id desc
limit @limit;
