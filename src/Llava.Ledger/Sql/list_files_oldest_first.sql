select id, tenant, name, purpose, bytes, sha256, location, created_at, expires_at
from files
where (cast(@tenant as text) is null or tenant = @tenant)
  and (cast(@purpose as text) is null or purpose = @purpose)
  and (cast(@after as text) is null or id > @after)
  and kept
  and (expires_at is null or expires_at > @now)
order by id
limit @limit;
