insert into chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, model, fence)
values (?, ?, ?, ?, ?, ?, ?, ?, 0);
