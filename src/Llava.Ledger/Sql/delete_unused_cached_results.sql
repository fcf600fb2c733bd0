delete from result_cache
where used_at < @before;
