select number, at, actor, tenant, action, target, request_id, details, hash
from audit
where number < @before
  and (cast(@actor as text) is null or substr(actor, 1, length(@actor)) = @actor)
  and (cast(@action as text) is null or substr(action, 1, length(@action)) = @action)
  and (cast(@target as text) is null or substr(target, 1, length(@target)) = @target)
  and (cast(@tenant as text) is null or tenant = @tenant)
order by number desc
limit @limit;
