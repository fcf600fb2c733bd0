select id, tenant, name, purpose, bytes, lifetime, state, file_id, created_at, expires_at
from uploads
where id = @id
  and (cast(@tenant as text) is null or tenant = @tenant);
