insert into chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, fence)
values (?, ?, ?, ?, ?, ?, ?, 0);
