-- The range stands twice so that every plan, even one made before the tables were analyzed, looks at this range only.
select i.item_no, i.custom_id, i.images, i.prompt, i.category, i.chat
from items i
where i.job_id = @job and i.item_no >= @first and i.item_no < @end
  and not exists (select 1 from results r where r.job_id = i.job_id and r.item_no = i.item_no and r.item_no >= @first and r.item_no < @end)
order by i.item_no;
