update webhooks
set secret = @secret, former_secret = @former, former_until = @until
where id = @id;
