update reviews
set latest = false
where job_id = @job and item_no = @item and latest;
