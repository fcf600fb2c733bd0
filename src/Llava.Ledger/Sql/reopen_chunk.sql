-- The fence leaves out a message that was sent with what the chunk was before.
update chunks
set state = 'open', first_item = @first, item_count = @items, tokens = @tokens, attempts = @attempts, fence = fence + 1,
    owner = null, lease_until = null, published_at = null
where job_id = @job and chunk_no = @chunk;
