-- A message may be on its way for an open chunk as it was before: the fence leaves it out.
update chunks
set state = 'open', first_item = @first, item_count = @items, tokens = @tokens, attempts = @attempts, fence = fence + case when state = 'open' then 1 else 0 end,
    owner = null, lease_until = null, published_at = null
where job_id = @job and chunk_no = @chunk;
