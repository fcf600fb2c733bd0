select id, tenant, name, purpose, bytes, sha256, location, created_at, expires_at
from files
where expires_at <= @now
order by expires_at, id
limit @limit;
