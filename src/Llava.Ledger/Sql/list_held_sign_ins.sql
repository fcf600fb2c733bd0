select s.id
from sign_ins s
left join api_keys k on k.id = s.key_id
where s.ended_at is null and s.expires_at > @now
  and (s.key_id is null or (k.id is not null and k.revoked_at is null and (k.expires_at is null or k.expires_at > @now)));
