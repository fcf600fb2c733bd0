update chunks
set state = 'leased',
    attempts = attempts + 1,
    fence = fence + 1,
    owner = @owner,
    claimed_at = @now,
    lease_until = @until,
    published_at = min(coalesce(published_at, @now), @now)
where job_id = @job and chunk_no = @chunk and state = 'open' and attempts = @attempt
  and exists (select 1 from jobs where id = @job and state in ('queued', 'running'))
returning first_item, item_count, attempts, fence, published_at, claimed_at, (select state from jobs where id = @job), model;
