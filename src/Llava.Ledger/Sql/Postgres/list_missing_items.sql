-- The range stands twice so that every plan, even one made before the tables were analyzed, looks at this range only.
select wanted.place::integer, i.item_no, i.custom_id, i.images, i.prompt, i.category, i.chat
from unnest(@jobs, @firsts, @ends) with ordinality as wanted (job_id, first_item, end_item, place)
cross join lateral (
    select item_no, custom_id, images, prompt, category, chat
    from items
    where job_id = wanted.job_id and item_no >= wanted.first_item and item_no < wanted.end_item
      and not exists (
          select 1
          from results r
          where r.job_id = wanted.job_id and r.item_no = items.item_no and r.item_no >= wanted.first_item and r.item_no < wanted.end_item)
) as i
order by wanted.place, i.item_no;
