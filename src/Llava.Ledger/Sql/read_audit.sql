select number, at, actor, tenant, action, target, request_id, details, hash
from audit
where number > @after
order by number
limit @limit;
