select id
from api_keys
where revoked_at is null and (expires_at is null or expires_at > @now);
