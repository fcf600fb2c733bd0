insert into chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, fence)
values (@job, coalesce((select chunk_no + 1 from chunks where job_id = @job order by chunk_no desc limit 1), 0), @first, @items, @tokens, @state, @attempts, 0);
