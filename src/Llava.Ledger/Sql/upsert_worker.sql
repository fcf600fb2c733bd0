insert into workers (id, host, process_id, process_started_at, models, bases, draining, registered_at, heartbeat_at)
values (@id, @host, @process, @started, @models, @bases, @draining, @now, @now)
on conflict (id) do update
set models = excluded.models, bases = excluded.bases, draining = excluded.draining, heartbeat_at = excluded.heartbeat_at;
