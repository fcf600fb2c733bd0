insert into files (id, tenant, name, purpose, bytes, sha256, location, kept, created_at, expires_at)
values (@id, @tenant, '', '', 0, '', @location, false, @now, @until)
on conflict do nothing;
