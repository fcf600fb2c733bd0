insert into schedules (id, tenant, name, kind, cron, time_zone, request, only_new, overlap, enabled, created_at, updated_at, settled_until)
values (@id, @tenant, @name, @kind, @cron, @zone, @request, @only_new, @overlap, true, @now, @now, @now)
on conflict do nothing;
