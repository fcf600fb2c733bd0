select count(*)
from audit
where at = @at and action = @action and target = @target;
