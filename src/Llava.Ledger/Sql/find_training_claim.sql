select id
from training_runs
where owner = @owner and lease_until = @until and (state = 'validating_files') = @validates;
