select c.owner, c.job_id, j.tenant, count(*), sum(c.item_count), min(c.claimed_at)
from jobs j
join chunks c on c.job_id = j.id and c.state <> 'done' and c.state = 'leased'
where j.state in ('queued', 'running', 'paused', 'cancelling')
group by c.owner, c.job_id, j.tenant
order by c.owner, c.job_id;
