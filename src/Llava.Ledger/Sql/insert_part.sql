insert into parts (job_id, part_no, source, idempotency_key, state, item_count, created_at)
values (@job, @part, @source, @key, 'waiting', 0, @now);
