insert into uploads (id, tenant, name, purpose, bytes, lifetime, state, created_at, expires_at)
values (@id, @tenant, @name, @purpose, @bytes, @lifetime, @state, @now, @until)
on conflict do nothing;
