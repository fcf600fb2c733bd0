select i.item_no, i.custom_id, i.images, i.prompt, i.category
from items i
where i.job_id = @job and i.item_no >= @first and i.item_no < @end
  and not exists (select 1 from results r where r.job_id = i.job_id and r.item_no = i.item_no)
order by i.item_no;
