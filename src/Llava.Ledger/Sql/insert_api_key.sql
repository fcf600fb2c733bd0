insert into api_keys (id, name, tenant, role, secret_hash, created_at, expires_at)
values (@id, @name, @tenant, @role, @hash, @now, @expires)
on conflict do nothing;
