select outcome, count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), min(finished_at), max(finished_at),
       count(case when source_job_id = job_id then 1 end), count(case when source_job_id <> job_id then 1 end)
from results
where job_id = @job
group by outcome;
