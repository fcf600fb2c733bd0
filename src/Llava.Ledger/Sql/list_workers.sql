select id, host, process_id, process_started_at, models, draining, heartbeat_at, registered_at, bases
from workers
order by registered_at, id;
