update chunks
set published_at = null
where state <> 'done' and published_at < @before and state = 'open';
