update result_cache
set used_at = @now
where key in (select value from json_each(@keys)) and used_at <= @before;
