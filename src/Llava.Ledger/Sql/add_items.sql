update jobs
set item_count = item_count + @items
where id = @job;
