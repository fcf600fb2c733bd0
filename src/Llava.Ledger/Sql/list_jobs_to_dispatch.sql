-- Compared with 0 rather than null: that is a range of the index, and the chunks that wait, nearly all of a large job, are not visited.
-- Of those only the first is looked up; of a job with a sample that was not worked on, the first of the sample.
select j.id, j.tenant, j.priority,
       coalesce(sum(c.item_count), 0),
       coalesce(sum(case when c.chunk_no < @express then c.item_count else 0 end), 0),
       coalesce(sum(c.tokens), 0),
       (select w.chunk_no
        from chunks w
        where w.job_id = j.id and w.state <> 'done' and w.published_at is null and w.state = 'open'
          and coalesce(w.model, j.model) = @model
          and w.chunk_no >= case when j.sample_result is null then coalesce(j.sample_chunk, 0) else 0 end
        order by w.chunk_no
        limit 1)
from jobs j
left join chunks c on c.job_id = j.id and c.state <> 'done' and c.published_at >= 0 and coalesce(c.model, j.model) = @model
where j.state in ('queued', 'running')
  and (j.model = @model or exists (select 1 from chunks m where m.job_id = j.id and m.model = @model))
group by j.id, j.tenant, j.priority
order by j.priority desc, j.id;
