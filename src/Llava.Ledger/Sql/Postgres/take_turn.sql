-- Ends with the transaction. The first number is the ledger's own among the database's advisory locks.
select pg_advisory_xact_lock(1280066902, @turn);
