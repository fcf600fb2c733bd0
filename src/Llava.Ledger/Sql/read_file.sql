select id, tenant, name, purpose, bytes, sha256, location, created_at, expires_at
from files
where id = @id
  and (cast(@tenant as text) is null or tenant = @tenant)
  and kept
  and (expires_at is null or expires_at > @now);
