-- Of processes that want the same report, one gets the row.
update jobs
set reported_at = @now
where id = @job and state = 'running' and coalesce(reported_at, 0) <= @before
returning coalesce(reported_items, 0);
