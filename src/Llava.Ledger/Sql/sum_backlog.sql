-- Not done, by model and state of the chunk: chunks, items, and when the oldest of their jobs came.
select coalesce(c.model, j.model), c.state, count(*), sum(c.item_count), min(j.created_at)
from jobs j
join chunks c on c.job_id = j.id and c.state <> 'done'
where j.state in ('queued', 'running')
group by coalesce(c.model, j.model), c.state;
