update chunks
set lease_until = 0
where state <> 'done' and published_at is not null and state = 'leased' and owner = @owner;
