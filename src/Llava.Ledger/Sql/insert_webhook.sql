insert into webhooks (id, tenant, url, events, secret, created_at)
values (@id, @tenant, @url, @events, @secret, @now)
on conflict do nothing;
