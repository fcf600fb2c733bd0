update jobs
set reported_items = @items
where id = @job;
