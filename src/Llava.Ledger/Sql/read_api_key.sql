select id, name, tenant, role, secret_hash, created_at, expires_at, revoked_at, last_used_at
from api_keys
where id = @id;
