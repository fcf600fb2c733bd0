-- The last used stay.
delete from result_cache
where (used_at, key) <= (
    select used_at, key
    from result_cache
    order by used_at desc, key desc
    limit 1 offset @keep);
