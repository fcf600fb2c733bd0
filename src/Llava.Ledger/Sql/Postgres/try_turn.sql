-- The turn ends with the transaction, and that when its owner says nothing for too long: a frozen process must not keep the others waiting.
-- The first number is the ledger's own among the database's advisory locks.
select pg_try_advisory_xact_lock(1280066902, hashtext(@turn)), set_config('idle_in_transaction_session_timeout', @milliseconds, true);
