-- Of each job only the first: parts are read in their order, and after the job's own source.
select j.id, j.state, j.request, j.item_count, j.source_position, j.created_at, j.expanded_at, j.started_at, j.finished_at, j.expires_at, j.error_code, j.error_message, j.final_progress, j.trace_parent, j.open, j.sample_chunk, j.sample_result,
       p.part_no, p.source, p.state, p.position, p.first_item, p.item_count, p.error_code, p.error_message, p.created_at
from parts p
join jobs j on j.id = p.job_id
where p.state = 'waiting' and j.state in ('queued', 'running') and j.expanded_at is not null
  and not exists (select 1 from parts e where e.job_id = p.job_id and e.state = 'waiting' and e.part_no < p.part_no)
order by j.priority desc, j.id;
