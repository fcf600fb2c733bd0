-- What another touches at this moment is touched; not waiting for it keeps two of these from any deadlock.
with stale as (
    select key
    from result_cache
    where key in (select json_array_elements_text(cast(@keys as json))) and used_at <= @before
    for update skip locked
)
update result_cache c
set used_at = @now
from stale
where c.key = stale.key;
