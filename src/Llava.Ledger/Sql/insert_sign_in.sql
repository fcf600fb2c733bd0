insert into sign_ins (id, key_id, created_at, expires_at)
values (@id, @key, @now, @expires)
on conflict do nothing;
