select id, tenant, url, events, secret, former_secret, former_until, created_at
from webhooks
where id = @id;
