update chunks
set state = 'leased',
    attempts = attempts + 1,
    fence = fence + 1,
    owner = @owner,
    lease_until = @until,
    published_at = coalesce(published_at, @now)
where job_id = @job and chunk_no = @chunk and state = 'open' and attempts = @attempt
  and exists (select 1 from jobs where id = @job and state in ('queued', 'running'))
returning first_item, item_count, attempts, fence, (select state from jobs where id = @job);
