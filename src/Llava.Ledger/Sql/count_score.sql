select i.category, count(*), sum(case when r.outcome = 'succeeded' and lower(trim(r.text, ' .')) = lower(trim(e.text, ' .')) then 1 else 0 end)
from expected_answers e
join results r on r.job_id = e.job_id and r.item_no = e.item_no and r.outcome in ('succeeded', 'failed')
join items i on i.job_id = e.job_id and i.item_no = e.item_no
where e.job_id = @job
group by i.category
order by i.category;
