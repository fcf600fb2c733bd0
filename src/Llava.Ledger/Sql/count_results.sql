select outcome, count(*), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens), min(finished_at), max(finished_at)
from results
where job_id = @job
group by outcome;
