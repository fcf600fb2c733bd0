select id, tenant, url, events, secret, former_secret, former_until, created_at
from webhooks
where (cast(@tenant as text) is null or tenant = @tenant)
order by id;
